/** How long a bucket is set aside; the others are sent in the meantime. */
const setAsideMs = 5 * 60_000;
/** A bucket is set aside after this many consecutive failures. */
const failuresAtOnce = 3;

/**
 * Buckets that could not be exported and are retried later, so that a bucket that the receiver cannot process does not block the
 * others.
 */
export class SetAside {
  readonly #buckets = new Map<number, { failures: number; untilMs: number }>();

  add(startSeconds: number, nowMs: number): void {
    this.#buckets.set(startSeconds, {
      failures: this.#buckets.get(startSeconds)?.failures ?? 0,
      untilMs: nowMs + setAsideMs,
    });
  }

  /** The receiver failed at this bucket; every third failure sets it aside. */
  failed(startSeconds: number, nowMs: number): void {
    const { failures, untilMs } = this.#buckets.get(startSeconds) ?? { failures: 0, untilMs: 0 };
    this.#buckets.set(startSeconds, { failures: failures + 1, untilMs });
    if ((failures + 1) % failuresAtOnce === 0) this.add(startSeconds, nowMs);
  }

  done(startSeconds: number): void {
    this.#buckets.delete(startSeconds);
  }

  /** It was set aside twice. */
  isSuspect(startSeconds: number): boolean {
    return (this.#buckets.get(startSeconds)?.failures ?? 0) >= 2 * failuresAtOnce;
  }

  isWaiting(startSeconds: number, nowMs: number): boolean {
    return (this.#buckets.get(startSeconds)?.untilMs ?? 0) > nowMs;
  }

  isAnyWaiting(nowMs: number): boolean {
    return [...this.#buckets.values()].some(({ untilMs }) => untilMs > nowMs);
  }

  /** Removes buckets that are no longer to be exported. */
  keep(buckets: ReadonlySet<number>): void {
    for (const startSeconds of this.#buckets.keys())
      if (!buckets.has(startSeconds)) this.#buckets.delete(startSeconds);
  }
}
