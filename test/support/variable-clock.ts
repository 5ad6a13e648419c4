import { scaledClock, systemClock, type Clock, type ClockScale } from '../../src/time/clock.ts';

/** Who sleeps looks at the clock at least this often, real milliseconds, so that a change of speed is noticed. */
const sliceMs = 50;

/**
 * A world's clock, whose speed can be changed: hours in which nothing is there to be tested may pass faster. Only this
 * process goes by it; a worker process keeps the scale that it was started with.
 */
export class VariableClock implements Clock {
  #scale: ClockScale;

  /** @param agoMs how long before the system's time it begins */
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
