import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { spawnOwned } from '../../dev/owned-process.ts';
import type { Finding } from './finding.ts';
import { root, type Part } from './parts.ts';

/** The time that a part has to stop its servers. */
const graceMs = 20_000;

/**
 * Runs a part in a separate process and reads its results. If it takes too long, fails without a reason, or writes no
 * readable results, that is a failed claim. Rejects when `signal` aborts, after the process has ended.
 * @param scratch folder for its temporary files
 */
export async function runPart(
  name: string,
  part: Part,
  { scratch, signal, say }: { scratch: string; signal: AbortSignal; say: (line: string) => void },
): Promise<Finding[]> {
  const resultFile = join(scratch, `${name}.json`);
  const { args, env } = part.command(resultFile);
  const child = await spawnOwned({
    command: process.execPath,
    args,
    cwd: root,
    env: { ...process.env, ...env, TMPDIR: scratch },
    onLine: (line) => say(`[${name}] ${line}`),
  });
  let isTooLong = false;
  const stop = () => void child.stop(graceMs);
  const limit = setTimeout(() => {
    isTooLong = true;
    stop();
  }, part.limitMinutes * 60_000);
  signal.addEventListener('abort', stop);
  if (signal.aborted) stop();
  const { code } = await child.exited;
  clearTimeout(limit);
  signal.removeEventListener('abort', stop);
  signal.throwIfAborted();
  const failed = (claim: string, result: string): Finding => ({ claim, result, verdict: 'fails' });
  if (isTooLong) return [failed(`the part ends within ${part.limitMinutes} minutes`, 'it was stopped')];
  try {
    const findings = await part.read(resultFile);
    if (findings.length === 0) return [failed('the part has results', 'none')];
    const isExplained = code === 0 || findings.some(({ verdict }) => verdict === 'fails');
    return isExplained ? findings : [...findings, failed('the part exits with 0', `exit code ${code}`)];
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('\n')[0] : String(error);
    return [failed('the part writes readable results', `exit code ${code}; ${reason}`)];
  }
}

/** Unmounts file systems that a killed part left mounted below `scratch`, and deletes the folder. */
export async function clean(scratch: string, unmount: (path: string) => Promise<unknown>): Promise<void> {
  const mounts = await readFile('/proc/self/mounts', 'utf8').catch(() => '');
  for (const line of mounts.split('\n')) {
    const path = line.split(' ')[1] ?? '';
    if (path.startsWith(`${scratch}/`)) await unmount(path);
  }
  await rm(scratch, { recursive: true, force: true, maxRetries: 10, retryDelay: 500 });
}
