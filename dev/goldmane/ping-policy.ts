const MIN_INTERVAL_MS = 5 * 60_000;
const MIN_INTERVAL_IDLE_MS = 2 * 60 * 60_000;
const STRIKES_ALLOWED = 2;

/**
 * How often a client may ping: grpc-go's default, which Goldmane does not change. A ping less than five minutes after
 * the previous one (two hours if no call is open) is a strike, unless the server has written a message in between; the
 * third strike ends the connection. These are real minutes: the policy belongs to the transport, not to the buckets.
 */
export class PingPolicy {
  #lastPingMs = Number.NEGATIVE_INFINITY;
  #strikes = 0;
  #written = false;

  wrote(): void {
    this.#written = true;
  }

  /** Counts a ping; true if the connection must end. */
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
