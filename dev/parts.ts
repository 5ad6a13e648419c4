import { describeError } from './start-failure.ts';

/** What runs, in the order in which it was started; it ends in the opposite one. */
export class Parts {
  readonly #parts: { name: string; stop: () => Promise<void> }[] = [];

  add(name: string, stop: () => Promise<void>): void {
    this.#parts.push({ name, stop });
  }

  /** Stops all, the last started first. A failure of one does not keep the others running. */
  async stopAll(log: (line: string) => void): Promise<void> {
    for (let part = this.#parts.pop(); part; part = this.#parts.pop()) {
      try {
        await part.stop();
      } catch (error) {
        log(`${part.name}: ${describeError(error)}`);
      }
    }
  }
}
