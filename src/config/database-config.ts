import { configFailure } from './config-failure.ts';
import { databaseUrlProblem } from './database-url.ts';

/** Where the database's URL is. It is read for each connection and not stored elsewhere. */
export type DatabaseConfig = { url: string } | { urlFile: string };

/**
 * Reads only where the database is, for commands that need nothing else. Apart from the other settings, because loading their
 * schema takes longer than most answers.
 * @throws ConfigFailure
 */
export function loadDatabaseConfig(env: NodeJS.ProcessEnv): DatabaseConfig {
  const problems = databaseProblems(env);
  if (problems.length > 0) throw configFailure(problems);
  const url = env['DATABASE_URL']?.trim();
  return url ? { url } : { urlFile: env['DATABASE_URL_FILE']?.trim() ?? '' };
}

/** What is wrong with DATABASE_URL and DATABASE_URL_FILE; none of it contains their values. */
export function databaseProblems(env: NodeJS.ProcessEnv): string[] {
  const problems: string[] = [];
  const url = env['DATABASE_URL']?.trim();
  const urlFile = env['DATABASE_URL_FILE']?.trim();
  if (!url && !urlFile)
    problems.push(
      'DATABASE_URL is missing; set it (postgres://user:password@host:5432/goldmane_edges), or DATABASE_URL_FILE',
    );
  if (url && urlFile) problems.push('DATABASE_URL_FILE and DATABASE_URL are both set; keep one of them');
  const urlProblem = url ? databaseUrlProblem(url) : undefined;
  if (urlProblem) problems.push(`DATABASE_URL ${urlProblem}`);
  return problems;
}
