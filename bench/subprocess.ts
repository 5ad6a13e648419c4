import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { z } from 'zod';
import { workerFlags } from '../test/support/worker-flags.ts';

const request = z.object({ id: z.number(), method: z.string(), args: z.unknown() });
const answer = z.object({ id: z.number(), result: z.unknown().optional(), error: z.string().optional() });

type Methods = Readonly<Record<string, (args: unknown) => unknown>>;

/** In the child: answers the parent's requests, and exits when the parent has ended. */
export function serve(methods: Methods): void {
  process.once('disconnect', () => process.exit(1));
  process.on('message', (raw) => {
    const { id, method, args } = request.parse(raw);
    void (async () => {
      try {
        const called = methods[method];
        if (!called) throw new Error(`there is no method ${method}`);
        process.send?.({ id, result: await called(args) });
      } catch (error) {
        process.send?.({
          id,
          error: error instanceof Error ? (error.stack ?? error.message) : String(error),
        });
      }
    })();
  });
  process.send?.({ id: 0 });
}

/** In the parent: a script in a separate process, so that its CPU and memory are measured separately. */
export class Subprocess {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, { resolve(result: unknown): void; reject(error: Error): void }>();
  readonly #name: string;
  #lastId = 0;

  private constructor(child: ChildProcess, name: string) {
    this.#child = child;
    this.#name = name;
    child.on('message', (raw) => {
      const { id, result, error } = answer.parse(raw);
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error === undefined) waiting?.resolve(result);
      else waiting?.reject(new Error(`${name}: ${error}`));
    });
    child.once('exit', (code, signal) => {
      for (const { reject } of this.#waiting.values())
        reject(new Error(`${name} ended (${signal ?? `exit code ${code}`})`));
    });
  }

  static async start(script: string, name: string): Promise<Subprocess> {
    const child = fork(script, [], { serialization: 'advanced', execArgv: [...workerFlags] });
    const started = new Subprocess(child, name);
    const ended = once(child, 'exit').then(() => {
      throw new Error(`${name} ended before it was ready`);
    });
    await Promise.race([once(child, 'message'), ended]);
    return started;
  }

  ask<Answer>(schema: z.ZodType<Answer>, method: string, args: object = {}): Promise<Answer> {
    if (!this.#child.connected) return Promise.reject(new Error(`${this.#name} has ended`));
    this.#lastId += 1;
    const id = this.#lastId;
    return new Promise<unknown>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#child.send({ id, method, args });
    }).then((result) => schema.parse(result));
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exited;
  }
}
