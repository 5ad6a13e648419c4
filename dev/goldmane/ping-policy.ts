const MIN_INTERVAL_MS = 5 * 60_000;
const MIN_INTERVAL_IDLE_MS = 2 * 60 * 60_000;
const STRIKES_ALLOWED = 2;

/**
 * How often a connection may be pinged by its client: grpc-go's default, which Goldmane leaves as it is. A ping
 * that comes sooner than five minutes after the one before (two hours when no call is open) is a strike, unless
 * the server has written a message in between; the third strike ends the connection. These are real minutes: the
 * policy belongs to the transport, not to the buckets.
 */
export class PingPolicy {
  #lastPingMs = Number.NEGATIVE_INFINITY;
  #strikes = 0;
  #written = false;

  wrote(): void {
    this.#written = true;
  }

  /** Counts a ping; true when the connection must end. */
  tooMany(nowMs: number, callsOpen: boolean): boolean {
    const sinceLastMs = nowMs - this.#lastPingMs;
    this.#lastPingMs = nowMs;
    if (this.#written) {
      this.#written = false;
      this.#strikes = 0;
      return false;
    }
    if (sinceLastMs < (callsOpen ? MIN_INTERVAL_MS : MIN_INTERVAL_IDLE_MS)) this.#strikes++;
    return this.#strikes > STRIKES_ALLOWED;
  }
}
