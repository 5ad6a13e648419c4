import { scaledClock, systemClock, type Clock, type ClockScale } from '../../src/time/clock.ts';

/** How often, in real milliseconds, `sleep` checks the clock for a change of speed. */
const sliceMs = 50;

/**
 * A clock with variable speed, to skip irrelevant hours. Only this process uses it; a worker process keeps the speed
 * that it was started with.
 */
export class VariableClock implements Clock {
  #scale: ClockScale;

  /** @param agoMs how far the clock starts behind the system's */
  constructor(speed: number, agoMs = 0) {
    const realAnchorMs = Date.now();
    this.#scale = { realAnchorMs, anchorMs: realAnchorMs - agoMs, speed };
  }

  /** The current scale, valid until the speed is changed. */
  get scale(): ClockScale {
    return this.#scale;
  }

  setSpeed(speed: number): void {
    const realAnchorMs = Date.now();
    this.#scale = { realAnchorMs, anchorMs: this.now(), speed };
  }

  now(): number {
    return scaledClock(this.#scale).now();
  }

  elapsed(): number {
    return this.now();
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    const untilMs = this.now() + ms;
    do {
      const realLeftMs = (untilMs - this.now()) / this.#scale.speed;
      await systemClock.sleep(Math.min(realLeftMs, sliceMs), signal);
    } while (this.now() < untilMs);
  }

  realMs(ms: number): number {
    return ms / this.#scale.speed;
  }
}
