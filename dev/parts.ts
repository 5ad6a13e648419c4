import { errorText } from '../src/failure/thrown.ts';

/** Running parts, in the order in which they were started; they are stopped in reverse order. */
export class Parts {
  readonly #parts: { name: string; stop: () => Promise<void> }[] = [];

  add(name: string, stop: () => Promise<void>): void {
    this.#parts.push({ name, stop });
  }

  /** Stops all parts, the last started first. If one fails to stop, the others are still stopped. */
  async stopAll(log: (line: string) => void): Promise<void> {
    for (let part = this.#parts.pop(); part; part = this.#parts.pop()) {
      try {
        await part.stop();
      } catch (error) {
        log(`${part.name}: ${errorText(error)}`);
      }
    }
  }
}
