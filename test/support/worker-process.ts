import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { spawnOwned, type OwnedProcess } from '../../dev/owned-process.ts';
import { freePort } from '../../dev/ports.ts';
import { imageEnvironment, workerFlags } from './worker-flags.ts';

/** The folder of the built worker. */
const dist = fileURLToPath(new URL('../../dist', import.meta.url));

/** A worker as in production, in a separate process. */
export interface WorkerProcess {
  process: OwnedProcess;
  httpPort: number;
  metricsPort: number;
  lines: string[];
  /** All logged messages, oldest first. */
  messages(): string[];
  kill(): Promise<void>;
  /** SIGTERM; resolves with the exit code. */
  terminate(): Promise<number | null>;
  /** All lines of /metrics that begin with `name`. */
  metrics(name: string): Promise<string[]>;
}

/** @param release a folder with the `dist` of another build */
export async function startWorkerProcess(env: NodeJS.ProcessEnv, release?: string): Promise<WorkerProcess> {
  const [httpPort, metricsPort] = [await freePort(), await freePort()];
  const lines: string[] = [];
  const process_ = await spawnOwned({
    command: process.execPath,
    args: [...workerFlags, join(release === undefined ? dist : join(release, 'dist'), 'worker/main.js')],
    env: {
      ...imageEnvironment,
      PATH: process.env['PATH'],
      LISTEN_HOST: '127.0.0.1',
      HTTP_PORT: String(httpPort),
      METRICS_PORT: String(metricsPort),
      MAP_PORT: 'off',
      ...env,
    },
    onLine: (line) => lines.push(line),
  });
  return {
    process: process_,
    httpPort,
    metricsPort,
    lines,
    messages: () => lines.map(messageOf),
    async kill() {
      process_.signal('SIGKILL');
      await process_.exited;
    },
    async terminate() {
      process_.signal('SIGTERM');
      return (await process_.exited).code;
    },
    async metrics(name) {
      const response = await fetch(`http://127.0.0.1:${metricsPort}/metrics`);
      return (await response.text()).split('\n').filter((line) => line.startsWith(name));
    },
  };
}

function messageOf(line: string): string {
  const entry = parsedJson(line);
  if (typeof entry !== 'object' || entry === null || !('msg' in entry)) return line;
  return 'reason' in entry ? `${String(entry.msg)}: ${String(entry.reason)}` : String(entry.msg);
}

/** Undefined if the line is not JSON. */
export function parsedJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
