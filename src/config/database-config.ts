import { configFailure } from './config-failure.ts';
import { databaseUrlProblem } from './database-url.ts';

/** The source of the database URL, which is read for each connection and not stored elsewhere. */
export type DatabaseConfig = { url: string } | { urlFile: string };

/**
 * Reads only the database location, for commands that need nothing else. Separate from the other settings, because
 * loading their schema takes longer than most queries.
 * @throws ConfigFailure
 */
export function loadDatabaseConfig(env: NodeJS.ProcessEnv): DatabaseConfig {
  const problems = databaseProblems(env);
  if (problems.length > 0) throw configFailure(problems);
  return databaseConfigOf(env);
}

const plainNames = { url: 'DATABASE_URL', urlFile: 'DATABASE_URL_FILE' };

/** @param names the variables; both may be missing or wrong, which `databaseProblems` reports */
export function databaseConfigOf(env: NodeJS.ProcessEnv, names = plainNames): DatabaseConfig {
  const url = env[names.url]?.trim();
  return url ? { url } : { urlFile: env[names.urlFile]?.trim() ?? '' };
}

/** What is wrong with DATABASE_URL and DATABASE_URL_FILE, or their variants, without their values. */
export function databaseProblems(env: NodeJS.ProcessEnv, names = plainNames): string[] {
  const problems: string[] = [];
  const url = env[names.url]?.trim();
  const urlFile = env[names.urlFile]?.trim();
  if (!url && !urlFile)
    problems.push(
      `${names.url} is missing; set it (postgres://user:password@host:5432/goldmane_edges), or ${names.urlFile}`,
    );
  if (url && urlFile) problems.push(`${names.urlFile} and ${names.url} are both set; keep one of them`);
  const urlProblem = url ? databaseUrlProblem(url) : undefined;
  if (urlProblem) problems.push(`${names.url} ${urlProblem}`);
  return problems;
}
