import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Connection } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';
import { errorText } from '../../src/failure/thrown.ts';
import { type OwnedProcess, spawnOwned } from '../owned-process.ts';
import { endLeftover, readPidFile } from '../leftover.ts';
import { freePort } from '../ports.ts';
import { startFailure, type StartFailure } from '../start-failure.ts';

const NAMESPACE = 'default';
const START_LIMIT_MS = 60_000;

export interface TemporalServerOptions {
  /** Path of the program, from findTemporal. */
  executable: string;
  /** SQLite file that keeps workflows between starts; without it, they are lost when the server stops. */
  dataFile?: string;
  /** Default: free ports. */
  port?: number;
  uiPort?: number;
  /** Retention of closed workflows. Default 30 days (the dev server's own default is one day). */
  retentionDays?: number;
  /** Default true. */
  ui?: boolean;
  signal?: AbortSignal;
  log?: (line: string) => void;
  /** The server's own log. */
  onLine?: (line: string) => void;
}

/** A Temporal dev server on 127.0.0.1 that ends with this process. */
export interface TemporalServer {
  /** host:port of the frontend. */
  readonly address: string;
  readonly uiUrl: string;
  readonly port: number;
  readonly uiPort: number;
  readonly namespace: string;
  readonly pid: number;
  /** Starts it again on the same ports and file, after stop() or kill(). */
  start(signal?: AbortSignal): Promise<void>;
  stop(): Promise<void>;
  /** SIGKILL. */
  kill(): Promise<void>;
}

/** Starts `temporal server start-dev` and waits until its namespace is available. Throws StartFailure. */
export async function startTemporalServer(options: TemporalServerOptions): Promise<TemporalServer> {
  const log = options.log ?? (() => undefined);
  const ports = { port: options.port ?? (await freePort()), ui: options.uiPort ?? (await freePort()) };
  const running: { server: OwnedProcess | undefined } = { server: undefined };

  const start = async (signal?: AbortSignal): Promise<void> => {
    if (running.server && !running.server.hasExited()) return;
    for (let attempt = 1; ; attempt++) {
      await clearLeftover(options, signal, log);
      const server = await launch(options, ports);
      running.server = server;
      try {
        if (options.dataFile !== undefined) await writeFile(pidFileOf(options.dataFile), `${server.pid}\n`);
        await untilReady(server, `127.0.0.1:${ports.port}`, options.retentionDays ?? 30, signal);
        return;
      } catch (error) {
        await server.stop(2_000);
        signal?.throwIfAborted();
        const chosenByUs = options.port === undefined && options.uiPort === undefined;
        if (!chosenByUs || attempt >= 4 || !/in use/.test(errorText(error))) throw error;
        ports.port = await freePort();
        ports.ui = await freePort();
      }
    }
  };
  const ended = async (): Promise<void> => {
    await running.server?.exited;
    if (options.dataFile !== undefined) await rm(pidFileOf(options.dataFile), { force: true });
  };

  await start(options.signal);
  return {
    get address() {
      return `127.0.0.1:${ports.port}`;
    },
    get uiUrl() {
      return `http://127.0.0.1:${ports.ui}`;
    },
    get port() {
      return ports.port;
    },
    get uiPort() {
      return ports.ui;
    },
    namespace: NAMESPACE,
    get pid() {
      return running.server?.pid ?? 0;
    },
    start,
    async stop() {
      await running.server?.stop(10_000);
      await ended();
    },
    async kill() {
      running.server?.signal('SIGKILL');
      await ended();
    },
  };
}

/** A server that survived a kill -9 of its parent still locks the SQLite file. */
async function clearLeftover(
  { dataFile }: TemporalServerOptions,
  signal: AbortSignal | undefined,
  log: (line: string) => void,
): Promise<void> {
  if (dataFile === undefined) return;
  await mkdir(dirname(dataFile), { recursive: true });
  const pid = await readPidFile(pidFileOf(dataFile));
  if (pid === undefined) return;
  const signals = ['SIGTERM', 'SIGKILL'] as const;
  if (await endLeftover({ pid, marks: ['start-dev', dataFile], signals }, signal)) {
    log(`Temporal: stopped process ${pid} of an earlier start`);
  }
}

function pidFileOf(dataFile: string): string {
  return `${dataFile}.pid`;
}

function launch(
  { executable, dataFile, ui, onLine }: TemporalServerOptions,
  ports: { port: number; ui: number },
): Promise<OwnedProcess> {
  return spawnOwned({
    command: executable,
    args: [
      ...['server', 'start-dev', '--ip', '127.0.0.1', '--port', String(ports.port)],
      ...(ui === false ? ['--headless'] : ['--ui-port', String(ports.ui)]),
      ...(dataFile === undefined ? [] : ['--db-filename', dataFile]),
      ...['--log-level', 'warn', '--log-format', 'json'],
    ],
    ...(onLine ? { onLine } : {}),
  });
}

async function untilReady(
  server: OwnedProcess,
  address: string,
  retentionDays: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  const end = Date.now() + START_LIMIT_MS;
  let reason = 'no answer';
  for (;;) {
    signal?.throwIfAborted();
    if (server.hasExited()) {
      await server.exited;
      throw diagnose(server.lastLines());
    }
    try {
      await setRetention(address, retentionDays);
      return;
    } catch (error) {
      reason = errorText(error);
    }
    if (Date.now() > end) {
      throw startFailure(
        `The Temporal dev server did not become ready within ${START_LIMIT_MS / 1000} s: ${reason}`,
        'See its log (.flow-trail/logs/temporal.log); if the machine was busy, start again.',
      );
    }
    await delay(100, undefined, signal ? { signal } : {});
  }
}

/** Resolves as soon as the frontend and the namespace are available. */
async function setRetention(address: string, retentionDays: number): Promise<void> {
  const connection = await Connection.connect({ address, connectTimeout: 2_000 });
  try {
    await connection.withDeadline(Date.now() + 5_000, () =>
      connection.workflowService.updateNamespace({
        namespace: NAMESPACE,
        config: { workflowExecutionRetentionTtl: msToTs(`${retentionDays} days`) },
      }),
    );
  } finally {
    await connection.close();
  }
}

function diagnose(lines: readonly string[]): StartFailure {
  const cause =
    lines.findLast((line) => /error|fail|in use|unable/i.test(line)) ?? lines.at(-1) ?? 'no output';
  const message = `The Temporal dev server ended while it was starting: ${cause.trim()}`;
  const text = lines.join('\n');
  if (/in use/.test(text)) return startFailure(message, 'Free the port, or let npm start choose another.');
  if (/disk is full|No space left/i.test(text)) {
    return startFailure(message, 'The disk is full: free up some space (100 MB is enough).');
  }
  if (/malformed|not a database|schema|sqlite/i.test(text)) {
    return startFailure(
      message,
      'Its file is damaged or from another version: delete .flow-trail/temporal to start with an empty one.',
    );
  }
  return startFailure(message, 'See its log (.flow-trail/logs/temporal.log).');
}
