import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';

const KEPT_LINES = 60;

/**
 * A shell script that waits for a line on standard input. If the input ends without a line, this process was killed
 * (kill -9, out of memory), and the shell ends the child: first with the stop signal, then with SIGKILL.
 */
const GUARD = `
read -r word
[ -n "$word" ] && exit 0
kill -s "$2" -- "-$1" 2>/dev/null || exit 0
n=0
while [ $n -lt 50 ] && kill -0 "$1" 2>/dev/null; do n=$((n + 1)); sleep 0.1; done
kill -s KILL -- "-$1" 2>/dev/null
`;

interface OwnedProcessOptions {
  command: string;
  args: readonly string[];
  env?: NodeJS.ProcessEnv;
  cwd?: string;
  uid?: number;
  gid?: number;
  /** Signal that asks the child to shut down. Default SIGTERM. */
  stopSignal?: NodeJS.Signals;
  /** Each line of standard output and standard error. */
  onLine?: (line: string) => void;
}

interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** A child process that ends with this process, even when this one is killed with -9. */
export interface OwnedProcess {
  readonly pid: number;
  /** Resolves when the process has ended and all its output was read; never rejects. */
  readonly exited: Promise<Exit>;
  hasExited(): boolean;
  /** The last lines of its output, oldest first. */
  lastLines(): readonly string[];
  /** Sends a signal to the process and to the children in its process group. */
  signal(signal: NodeJS.Signals): void;
  /** Sends the stop signal, and SIGKILL after `graceMs`; resolves when the process has ended. */
  stop(graceMs?: number): Promise<Exit>;
}

/**
 * Starts a child in its own session, so that Ctrl-C in the terminal reaches only this process, which then stops
 * everything in order. Rejects with the system's error if the command cannot be started.
 */
export async function spawnOwned(options: OwnedProcessOptions): Promise<OwnedProcess> {
  const stopSignal = options.stopSignal ?? 'SIGTERM';
  const child = spawn(options.command, options.args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
    env: options.env ?? process.env,
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.uid === undefined ? {} : { uid: options.uid }),
    ...(options.gid === undefined ? {} : { gid: options.gid }),
  });
  const lines: string[] = [];
  const take = (line: string): void => {
    lines.push(line);
    if (lines.length > KEPT_LINES) lines.shift();
    options.onLine?.(line);
  };
  followLines(child.stdout, take);
  followLines(child.stderr, take);

  const pid = await spawned(child);
  const guard = startGuard(pid, stopSignal);
  const state = { exited: false };
  const exited = new Promise<Exit>((resolve) => {
    child.once('exit', (code, signal) => {
      state.exited = true;
      guard.release();
      // Descendants may keep the pipes open after the child has ended; the child's own output has arrived by then.
      const settle = (): void => resolve({ code, signal });
      child.once('close', settle);
      setTimeout(settle, 500).unref();
    });
  });

  const send = (signal: NodeJS.Signals): void => {
    if (!state.exited) signalGroup(pid, signal);
  };
  const owned: OwnedProcess = {
    pid,
    exited,
    hasExited: () => state.exited,
    lastLines: () => lines,
    signal: send,
    async stop(graceMs = 10_000) {
      send(stopSignal);
      const patience = new AbortController();
      const killer = delay(graceMs, undefined, { signal: patience.signal }).then(
        () => send('SIGKILL'),
        () => undefined,
      );
      const exit = await exited;
      patience.abort();
      await killer;
      return exit;
    },
  };
  living.add(owned);
  void exited.then(() => living.delete(owned));
  return owned;
}

const living = new Set<OwnedProcess>();

/** Kills every child at once. */
export async function killAllOwned(): Promise<void> {
  await Promise.all([...living].map((child) => child.stop(0)));
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // The process has just ended; `exited` reports that.
  }
}

function spawned(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('spawn', () => {
      child.off('error', reject);
      // The process has ended before the signal; `exited` reports that.
      child.on('error', () => undefined);
      if (child.pid === undefined) reject(new Error('The process has no id'));
      else resolve(child.pid);
    });
  });
}

function startGuard(pid: number, stopSignal: NodeJS.Signals): { release(): void } {
  const guard = spawn('/bin/sh', ['-c', GUARD, 'guard', String(pid), stopSignal.slice('SIG'.length)], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  guard.on('error', () => undefined);
  guard.stdin.on('error', () => undefined);
  guard.unref();
  return {
    release: () => {
      guard.stdin.end('released\n');
    },
  };
}

function followLines(stream: Readable | null, onLine: (line: string) => void): void {
  if (stream) createInterface({ input: stream, crlfDelay: Infinity }).on('line', onLine);
}
