import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { errorCode } from '../src/failure/thrown.ts';

const execute = promisify(execFile);
const PATIENCE_MS = 5_000;

interface Leftover {
  pid: number;
  /** Words that must be in its command line: process ids are reused, so an id alone proves nothing. */
  marks: readonly string[];
  /** Signals, sent one after the other until the process has ended. */
  signals: readonly NodeJS.Signals[];
}

/** Whether this process is running and is the expected program. */
export async function isRunning({ pid, marks }: Pick<Leftover, 'pid' | 'marks'>): Promise<boolean> {
  if (!Number.isInteger(pid) || pid <= 1 || pid === process.pid || !isAlive(pid)) return false;
  const commandLine = await commandLineOf(pid);
  return marks.every((mark) => commandLine.includes(mark));
}

/** Ends a process that an earlier start left running. Returns false if there was none. */
export async function endLeftover(leftover: Leftover, signal?: AbortSignal): Promise<boolean> {
  if (!(await isRunning(leftover))) return false;
  for (const request of leftover.signals) {
    try {
      process.kill(leftover.pid, request);
    } catch {
      return true;
    }
    for (let waitedMs = 0; waitedMs < PATIENCE_MS; waitedMs += 50) {
      await delay(50, undefined, signal ? { signal } : {});
      if (!isAlive(leftover.pid)) return true;
    }
  }
  return true;
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errorCode(error) === 'EPERM';
  }
}

/** The process id at the beginning of a file; undefined if there is no such file or id. */
export async function readPidFile(path: string): Promise<number | undefined> {
  const text = await readFile(path, 'utf8').catch(() => '');
  const pid = Number.parseInt(text, 10);
  return Number.isInteger(pid) && pid > 1 ? pid : undefined;
}

async function commandLineOf(pid: number): Promise<string> {
  try {
    return (await readFile(`/proc/${pid}/cmdline`, 'utf8')).replaceAll('\0', ' ');
  } catch {
    // No /proc (macOS), or the process has just ended.
    return execute('ps', ['-o', 'args=', '-p', String(pid)]).then(
      ({ stdout }) => stdout,
      () => '',
    );
  }
}
