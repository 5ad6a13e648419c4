import { scaledClock, systemClock, type Clock, type ClockScale } from '../../src/time/clock.ts';

/** Sleepers check the clock at least this often, in real milliseconds, so that they detect a change of speed. */
const sliceMs = 50;

/**
 * A world's clock with variable speed, so that irrelevant hours can pass faster. Only this process uses it; a worker
 * process keeps the speed that it was started with.
 */
export class VariableClock implements Clock {
  #scale: ClockScale;

  /** @param agoMs how far behind the system's time it starts */
  constructor(speed: number, agoMs = 0) {
    const realAnchorMs = Date.now();
    this.#scale = { realAnchorMs, anchorMs: realAnchorMs - agoMs, speed };
  }

  /** The scale at present; it holds until the speed is changed. */
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
