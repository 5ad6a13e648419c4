import { setTimeout as delay } from 'node:timers/promises';
import { type OwnedProcess, spawnOwned } from './owned-process.ts';
import { startFailure } from './start-failure.ts';
import { typeScriptArguments } from './typescript-child.ts';

const ENTRY = new URL('../src/worker/main.ts', import.meta.url);
/** Longer than all shutdown phases of the worker together. */
const STOP_GRACE_MS = 25_000;

export interface WorkerOptions {
  env: NodeJS.ProcessEnv;
  /** Port of /readyz. */
  httpPort: number;
  onLine: (line: string) => void;
  log: (line: string) => void;
}

/** The worker as a child process, restarted when it exits by itself. */
export interface WorkerProcess {
  /** Rejects with StartFailure if the worker exits before it was ever ready; never resolves. */
  readonly failed: Promise<never>;
  /** Why the worker is not polling, according to /readyz; undefined when it is. */
  readonly notReady: () => Promise<string | undefined>;
  stop(): Promise<void>;
}

/**
 * Starts the worker and returns as soon as its process exists. If the worker exits before it was ever ready, `failed`
 * rejects; a later exit is logged and the worker restarted.
 */
export async function startWorker(options: WorkerOptions): Promise<WorkerProcess> {
  const { log } = options;
  const stopping = new AbortController();
  const state: { child: OwnedProcess; wasReady: boolean } = {
    child: await spawn(options),
    wasReady: false,
  };

  const notReady = async (): Promise<string | undefined> => {
    try {
      const answer = await fetch(`http://127.0.0.1:${options.httpPort}/readyz`, {
        signal: AbortSignal.timeout(2_000),
      });
      if (answer.ok) {
        state.wasReady = true;
        return undefined;
      }
      return (await answer.text()).replace(/^not ready: /, '').trim();
    } catch {
      return 'starting';
    }
  };

  const supervise = async (): Promise<never> => {
    for (let restarts = 0; ; restarts++) {
      const exit = await state.child.exited;
      stopping.signal.throwIfAborted();
      const how = exit.signal ?? `code ${exit.code}`;
      if (!state.wasReady) {
        throw startFailure(
          `The worker exited during startup (${how}):\n${lastOutput(state.child)}`,
          'See its log (.flow-trail/logs/worker.log).',
        );
      }
      const waitMs = Math.min(30_000, 1_000 * 2 ** restarts);
      log(`Worker: exited (${how}), restarting in ${waitMs / 1000} s; see .flow-trail/logs/worker.log`);
      await delay(waitMs, undefined, { signal: stopping.signal });
      state.child = await spawn(options);
    }
  };
  const failed = supervise();
  failed.catch(() => undefined);

  return {
    notReady,
    failed,
    async stop() {
      stopping.abort();
      await state.child.stop(STOP_GRACE_MS);
      await failed.catch(() => undefined);
    },
  };
}

function spawn({ env, onLine }: WorkerOptions): Promise<OwnedProcess> {
  return spawnOwned({ command: process.execPath, args: typeScriptArguments(ENTRY), env, onLine });
}

/** Its last messages, without the surrounding JSON. */
function lastOutput(child: OwnedProcess): string {
  return child
    .lastLines()
    .slice(-6)
    .map((line) => `  ${readLogLine(line)?.message ?? line}`)
    .join('\n');
}

interface LogLine {
  level: string;
  message: string;
}

/** Level and message of a line of the worker's JSON log; undefined for other output. */
export function readLogLine(line: string): LogLine | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    const entry: unknown = JSON.parse(line);
    if (typeof entry !== 'object' || entry === null || !('msg' in entry)) return undefined;
    const level = 'level' in entry ? String(entry.level) : 'info';
    const cause =
      'err' in entry ? messageOf(entry.err) : 'reason' in entry ? String(entry.reason) : undefined;
    const message = String(entry.msg);
    return { level, message: cause === undefined ? message : `${message}: ${cause}` };
  } catch {
    return undefined;
  }
}

function messageOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('message' in error)) return undefined;
  return String(error.message).split('\n')[0];
}
