import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { typeScriptArguments } from '../../../dev/typescript-child.ts';
import { until } from '../../support/poll.ts';

const main = new URL('../../../dev/main.ts', import.meta.url);

/** `npm start` as a child process, with its own state directory. */
export class NpmStart {
  readonly lines: string[] = [];
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  readonly #stateDir: string;

  constructor(stateDir: string, env: NodeJS.ProcessEnv = {}) {
    this.#stateDir = stateDir;
    this.#child = spawn(process.execPath, typeScriptArguments(main), {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env, FLOW_TRAIL_STATE_DIR: stateDir },
    });
    this.#exited = once(this.#child, 'exit');
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      if (stream) createInterface({ input: stream }).on('line', (line) => this.lines.push(line));
    }
  }

  /** Waits for a line that matches, and returns the first match. Fails if the process exits before. */
  async untilPrinted(pattern: RegExp, limitMs = 300_000): Promise<RegExpExecArray> {
    const find = () => this.lines.map((line) => pattern.exec(line)).find((match) => match !== null);
    const found = await until(
      `npm start prints ${pattern}; so far:\n${this.lines.join('\n')}`,
      () => find() ?? (this.#child.exitCode === null ? undefined : 'ended'),
      limitMs,
    );
    if (found === 'ended')
      throw new Error(`npm start exited before it printed ${pattern}:\n${this.lines.join('\n')}`);
    return found;
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  async exitCode(): Promise<number | null> {
    await this.#exited;
    return this.#child.exitCode;
  }

  /** Waits until all its descendants have exited; they are found by their environment. */
  async untilAllExited(limitMs: number): Promise<void> {
    let left: string[] = [];
    await until(
      'all processes have exited',
      async () => {
        left = await processesOf(this.#stateDir);
        if (left.length > 0) throw new Error(left.join('\n'));
        return true;
      },
      limitMs,
    );
  }
}

/** Command lines of the processes (on Linux) with this state directory in their environment. */
async function processesOf(stateDir: string): Promise<string[]> {
  const found: string[] = [];
  for (const pid of await readdir('/proc').catch(() => [])) {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) continue;
    const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
    if (!environment.split('\0').includes(`FLOW_TRAIL_STATE_DIR=${stateDir}`)) continue;
    const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    if (command !== '') found.push(`${pid} ${command.replaceAll('\0', ' ').slice(0, 100)}`);
  }
  return found;
}
