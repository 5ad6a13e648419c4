import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { isAlive } from './leftover.ts';

const execute = promisify(execFile);
const LOOK_EVERY_MS = 1_000;

/** Calls `onGone` when the npm (or tsx) process that started this one has exited: after a kill -9, no signal
 * arrives, and this process would otherwise run forever. Returns a function that stops watching.
 */
export async function watchStarter(onGone: (what: string) => void): Promise<() => void> {
  const starters = await startersOf(process.ppid);
  const timer = setInterval(() => {
    const gone = starters.find(({ pid }) => !isAlive(pid));
    if (!gone) return;
    clearInterval(timer);
    onGone(gone.name);
  }, LOOK_EVERY_MS);
  timer.unref();
  return () => clearInterval(timer);
}

interface Starter {
  pid: number;
  name: string;
}

/** The ancestor processes up to npm, which exist only to run this one. Without npm: the tsx processes. */
async function startersOf(parent: number): Promise<Starter[]> {
  const chain: Starter[] = [];
  for (let pid = parent; pid > 1 && chain.length < 6;) {
    const process = await describe(pid);
    if (!process) break;
    chain.push({ pid, name: process.name });
    if (process.name === 'npm') return chain;
    pid = process.parent;
  }
  const others = chain.findIndex(({ name }) => name !== 'tsx');
  return others === -1 ? chain : chain.slice(0, others);
}

async function describe(pid: number): Promise<{ parent: number; name: string } | undefined> {
  try {
    const { stdout } = await execute('ps', ['-o', 'ppid=,args=', '-p', String(pid)]);
    const [parent = '', ...words] = stdout.trim().split(/\s+/);
    const command = words.join(' ');
    const name = /\bnpm\b/.test(command) ? 'npm' : /\btsx\b/.test(command) ? 'tsx' : (words[0] ?? '');
    return { parent: Number(parent), name };
  } catch {
    return undefined;
  }
}
