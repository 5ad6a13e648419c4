import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { spawnOwned } from '../../dev/owned-process.ts';
import type { Finding } from './finding.ts';
import { root, type Part } from './parts.ts';

/** What a part may take to end its servers, once it is asked to. */
const graceMs = 20_000;

/**
 * Runs a part in a process of its own and reads what it found. A part that takes too long, fails without saying why or cannot be
 * read is a broken claim. Rejects when `signal` aborts, after the process has ended.
 * @param scratch where it puts its temporary files
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
  const broken = (claim: string, seen: string): Finding => ({ claim, seen, verdict: 'broken' });
  if (isTooLong) return [broken(`the part ends within ${part.limitMinutes} minutes`, 'it was ended')];
  try {
    const findings = await part.read(resultFile);
    if (findings.length === 0) return [broken('the part finds something', 'nothing')];
    const isExplained = code === 0 || findings.some(({ verdict }) => verdict === 'broken');
    return isExplained ? findings : [...findings, broken('the part ends well', `exit code ${code}`)];
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('\n')[0] : String(error);
    return [broken('the part says what it found', `exit code ${code}; ${reason}`)];
  }
}

/** Deletes the temporary files, and unmounts what a part that was killed left mounted below them. */
export async function clean(scratch: string, unmount: (path: string) => Promise<unknown>): Promise<void> {
  const mounts = await readFile('/proc/self/mounts', 'utf8').catch(() => '');
  for (const line of mounts.split('\n')) {
    const path = line.split(' ')[1] ?? '';
    if (path.startsWith(`${scratch}/`)) await unmount(path);
  }
  await rm(scratch, { recursive: true, force: true, maxRetries: 10, retryDelay: 500 });
}
