import type { Clock } from '../../src/time/clock.ts';

interface Waiting<T> {
  item: T;
  settle(taken: boolean): void;
}

/** A bounded queue whose writers wait for space with a deadline, like a Go channel. */
export class BoundedChannel<T> {
  readonly capacity: number;
  readonly #clock: Clock;
  #items: T[] = [];
  #first = 0;
  #closed = false;
  readonly #writers: Waiting<T>[] = [];
  #reader: (() => void) | undefined;

  constructor(capacity: number, clock: Clock) {
    this.capacity = capacity;
    this.#clock = clock;
  }

  get size(): number {
    return this.#items.length - this.#first;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Adds the item if there is space now. A closed channel accepts nothing. */
  tryPush(item: T): boolean {
    if (this.#closed || this.size >= this.capacity) return false;
    this.#items.push(item);
    this.#reader?.();
    return true;
  }

  /** Waits for space, at most `deadlineMs` by the clock; false if there was none or the channel was closed. */
  push(item: T, deadlineMs: number): Promise<boolean> {
    if (this.tryPush(item)) return Promise.resolve(true);
    if (this.#closed) return Promise.resolve(false);
    return new Promise((resolve) => {
      const settled = new AbortController();
      const waiting: Waiting<T> = {
        item,
        settle: (taken) => {
          settled.abort();
          resolve(taken);
        },
      };
      this.#writers.push(waiting);
      void this.#clock.sleep(deadlineMs, settled.signal).then(
        () => {
          this.#writers.splice(this.#writers.indexOf(waiting), 1);
          resolve(false);
        },
        () => undefined,
      );
    });
  }

  /** Removes and returns the oldest item, if any; the item of the longest-waiting writer is then added. */
  shift(): T | undefined {
    if (this.size === 0) return undefined;
    const item = this.#items[this.#first++];
    if (this.#first > 1024 && this.#first * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#first);
      this.#first = 0;
    }
    const writer = this.#writers.shift();
    if (writer) {
      this.#items.push(writer.item);
      writer.settle(true);
    }
    return item;
  }

  /** Resolves when there is an item to `shift` or the channel is closed. One reader at a time. */
  readable(): Promise<void> {
    if (this.size > 0 || this.#closed) return Promise.resolve();
    return new Promise((resolve) => {
      this.#reader = () => {
        this.#reader = undefined;
        resolve();
      };
    });
  }

  /** Drops all queued items and rejects all waiting writers. */
  close(): void {
    this.#closed = true;
    this.#items = [];
    this.#first = 0;
    for (const writer of this.#writers.splice(0)) writer.settle(false);
    this.#reader?.();
  }
}
