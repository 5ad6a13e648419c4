import { setTimeout as delay } from 'node:timers/promises';
import type { StreamHandlers } from '../src/goldmane/stream.ts';

/** History has no end marker: after this long without a record it counts as finished. */
const quietMs = 1_500;
const tickMs = 100;

/** Counts messages and measures CPU and time from the first to the last message. */
export class Meter {
  #messages = 0;
  #started: { at: number; cpu: NodeJS.CpuUsage } | undefined;
  #last: { at: number; cpuMs: number } = { at: 0, cpuMs: 0 };

  count(): void {
    if (this.#messages === 0) this.#started = { at: performance.now(), cpu: process.cpuUsage() };
    this.#messages += 1;
  }

  of(handlers: StreamHandlers): (raw: Buffer) => void {
    return (raw) => {
      this.count();
      handlers.onMessage(raw);
    };
  }

  cpuMs(): number {
    const { user, system } = process.cpuUsage(this.#started?.cpu);
    return (user + system) / 1000;
  }

  async untilQuiet(): Promise<void> {
    let seen = 0;
    for (;;) {
      await delay(tickMs);
      if (this.#messages === 0) continue;
      const now = performance.now();
      if (this.#messages !== seen) {
        seen = this.#messages;
        this.#last = { at: now, cpuMs: this.cpuMs() };
      } else if (now - this.#last.at > quietMs) return;
    }
  }

  result(): { records: number; seconds: number; cpuMs: number } {
    const seconds = (this.#last.at - (this.#started?.at ?? 0)) / 1000;
    return { records: this.#messages, seconds, cpuMs: this.#last.cpuMs };
  }
}
