import { setTimeout as delay } from 'node:timers/promises';

/**
 * Every wait, age and deadline of buckets, windows and settling uses a Clock, so that a test can run the same proportions sixty
 * times faster against a stand-in that shares the clock. Times are milliseconds since the Unix epoch, durations milliseconds,
 * both of this clock.
 */
export interface Clock {
  now(): number;
  /** Monotonic, from an arbitrary start: for measuring durations. `now` can jump when the system clock is set. */
  elapsed(): number;
  /** Waits `ms` by this clock; rejects with the signal's reason when it aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** The real milliseconds that a duration of this clock takes; for timers of libraries. */
  realMs(ms: number): number;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  sleep: async (ms, signal) => {
    await delay(Math.max(0, ms), undefined, signal ? { signal } : {});
  },
  realMs: (ms) => ms,
};

/** A clock that showed `anchorMs` when the system clock showed `realAnchorMs`, and runs `speed` times as fast. */
export interface ClockScale {
  realAnchorMs: number;
  anchorMs: number;
  speed: number;
}

export function scaledClock({ realAnchorMs, anchorMs, speed }: ClockScale): Clock {
  return {
    now: () => anchorMs + (Date.now() - realAnchorMs) * speed,
    elapsed: () => performance.now() * speed,
    sleep: (ms, signal) => systemClock.sleep(ms / speed, signal),
    realMs: (ms) => ms / speed,
  };
}

/**
 * Reads `realAnchorMs,anchorMs,speed`, the form in which tests hand their clock to a worker process.
 * Returns undefined when the text is not three finite numbers with a positive speed.
 */
export function parseClockScale(text: string): ClockScale | undefined {
  const [realAnchorMs, anchorMs, speed, ...rest] = text.split(',').map(Number);
  if (realAnchorMs === undefined || anchorMs === undefined || speed === undefined || rest.length > 0)
    return undefined;
  if (![realAnchorMs, anchorMs, speed].every(Number.isFinite) || speed <= 0) return undefined;
  return { realAnchorMs, anchorMs, speed };
}

export function formatClockScale({ realAnchorMs, anchorMs, speed }: ClockScale): string {
  return `${realAnchorMs},${anchorMs},${speed}`;
}
