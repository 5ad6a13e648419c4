import { execFile } from 'node:child_process';
import { homedir } from 'node:os';
import { delimiter } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { spawnOwned } from '../owned-process.ts';
import type { Acquisition } from './find.ts';

const PACKAGE = 'github.com/temporalio/cli/cmd/temporal';
/** Approximate number of packages that a build without a cache compiles (Go 1.26); only for the progress line. */
const PACKAGES = 1_300;
const PROGRESS_EVERY_MS = 15_000;

const execute = promisify(execFile);

/** Builds the Temporal CLI from its pinned Go module with the installed Go. */
export async function buildWithGo({ version, directory, log, signal, env }: Acquisition): Promise<void> {
  const buildEnv = {
    ...env,
    HOME: env.HOME ?? homedir(),
    PATH: [env.PATH, '/usr/local/go/bin'].filter(Boolean).join(delimiter),
    GOBIN: directory,
    GOFLAGS: '-mod=mod',
    GO111MODULE: 'on',
    GOWORK: 'off',
    // An old Go downloads the version that the module requires.
    GOTOOLCHAIN: 'auto',
    // Pure Go, so no C compiler is needed.
    CGO_ENABLED: '0',
  };
  const go = await goVersion(buildEnv, signal);
  log(
    `Temporal: building the CLI ${version} from its Go modules with ${go}; the first build takes 4 to 5 minutes ` +
      'on two idle cores and needs 2 GB of disk, later starts use the cache',
  );
  const progress = { packages: 0, modules: 0 };
  const startedMs = Date.now();
  const build = await spawnOwned({
    command: 'go',
    args: ['install', '-v', '-ldflags', '-s -w', `${PACKAGE}@${version}`],
    env: buildEnv,
    cwd: directory,
    onLine: (line) => {
      if (line.startsWith('go: downloading')) progress.modules++;
      else if (/^[\w.-]+(\/[\w.~-]+)*$/.test(line)) progress.packages++;
    },
  });
  try {
    while (!build.hasExited()) {
      await Promise.race([delay(PROGRESS_EVERY_MS, undefined, { signal }), build.exited]);
      if (!build.hasExited()) log(`Temporal: ${describe(progress)}, ${minutesSince(startedMs)}`);
    }
    const { code } = await build.exited;
    if (code !== 0) throw new Error(`the Go build failed (${lastOutput(build.lastLines())})`);
    log(`Temporal: built in ${minutesSince(startedMs)} min`);
  } finally {
    await build.stop(2_000);
  }
}

async function goVersion(env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<string> {
  try {
    const { stdout } = await execute('go', ['version'], { env, signal, timeout: 20_000 });
    return stdout.replace(/^go version /, '').trim();
  } catch (error) {
    signal.throwIfAborted();
    throw new Error('Go is not installed', { cause: error });
  }
}

function describe({ packages, modules }: { packages: number; modules: number }): string {
  if (packages === 0) return `fetching modules, ${modules} so far`;
  return `compiling, ${packages} of about ${PACKAGES} packages`;
}

function minutesSince(startedMs: number): string {
  const seconds = Math.round((Date.now() - startedMs) / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

function lastOutput(lines: readonly string[]): string {
  const output = lines.filter(
    (line) => !/^[\w.-]+(\/[\w.~-]+)*$/.test(line) && !line.startsWith('go: downloading'),
  );
  return output.slice(-2).join(' ').trim() || 'without output';
}
