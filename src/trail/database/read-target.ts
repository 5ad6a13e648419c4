import { readFile } from 'node:fs/promises';
import type { DatabaseConfig } from '../../config/database-config.ts';
import { databaseUrlProblem, parseDatabaseUrl, type DatabaseTarget } from '../../config/database-url.ts';
import { databaseFailure } from './database-failure.ts';

/**
 * Reads the database URL, from its file if one is set.
 * @throws DatabaseFailure `url_unreadable`; never contains the URL
 */
export async function readTarget(config: DatabaseConfig): Promise<DatabaseTarget> {
  const { url, where } = await readUrl(config);
  const problem = databaseUrlProblem(url);
  if (problem) throw databaseFailure('url_unreadable', `${where} ${problem}`);
  return parseDatabaseUrl(url);
}

async function readUrl(config: DatabaseConfig): Promise<{ url: string; where: string }> {
  if ('url' in config) return { url: config.url, where: 'DATABASE_URL' };
  const where = `the file of DATABASE_URL_FILE, ${config.urlFile},`;
  try {
    return { url: (await readFile(config.urlFile, 'utf8')).trim(), where };
  } catch {
    throw databaseFailure('url_unreadable', `${where} cannot be read`);
  }
}
