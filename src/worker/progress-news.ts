import type { Progress } from '../ingest/summary.ts';

/** A working reader reports once per window; the window's summary follows. */
const routineMs = 15 * 60_000;
/** Reports that are not urgent wait this long after the last one, so that they are sent together. */
const collectMs = 60_000;
/** A state that changes back and forth is sent at most this often. */
const shortestMs = 10_000;

interface Sent {
  runId: string;
  state: string;
  /** Fields whose first value was sent; a later value alone does not cause a report. */
  known: ReadonlySet<string>;
  atMs: number;
}

/** Decides which reports of the readers are sent to the supervisor as signals, which Temporal Cloud bills and
 * histories store:
 * a change of state or error at once, new gaps and newly known values within a minute, otherwise one report in
 * 15 minutes. The last sent report is kept across windows and attempts, so that each attempt does not report the same
 * outage again.
 */
export class ProgressNews {
  readonly #sent = new Map<Progress['reader'], Sent>();
  readonly #connectingSinceMs = new Map<Progress['reader'], number>();

  /**
   * @param runId the supervisor's run; a new run starts without a status
   * @param nowMs of a monotonic clock
   * @returns whether to send this report; it then counts as sent
   */
  take(runId: string, progress: Progress, nowMs: number): boolean {
    const { reader, state, error } = progress;
    const former = this.#sent.get(reader);
    const sent = former?.runId === runId ? former : undefined;
    const isConnecting = state === 'connecting' && error === undefined;
    const connectingSinceMs = this.#connectingSinceMs.get(reader) ?? nowMs;
    if (isConnecting) this.#connectingSinceMs.set(reader, connectingSinceMs);
    else this.#connectingSinceMs.delete(reader);

    const known = new Set([...(sent?.known ?? []), ...factsIn(progress)]);
    const next = { runId, state: `${state} ${error ?? ''}`, known, atMs: nowMs };
    const sinceMs = nowMs - (sent?.atMs ?? Number.NEGATIVE_INFINITY);
    const isChanged = next.state !== sent?.state;
    // Each window connects again; only a connection that takes long is reported.
    if (isConnecting && isChanged && nowMs - connectingSinceMs < collectMs) return false;
    const hasNews = progress.gaps !== undefined || known.size > (sent?.known.size ?? 0);
    const waitMs = isChanged ? shortestMs : hasNews ? collectMs : routineMs;
    if (sinceMs < waitMs) return false;
    this.#sent.set(reader, next);
    return true;
  }

  /** The report was not delivered: the next one counts as a change. */
  lost(reader: Progress['reader']): void {
    const sent = this.#sent.get(reader);
    if (sent) this.#sent.set(reader, { ...sent, state: '' });
  }
}

function factsIn(progress: Progress): string[] {
  return (['newestBucket', 'settledUpTo', 'edges'] as const).filter((name) => progress[name] !== undefined);
}
