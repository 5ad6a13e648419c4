import type { CoverageStretch } from './coverage.ts';
import type { LedgerBucket } from '../merge/ledger.ts';
import { bucketSeconds } from '../../time/bucket.ts';

/** Ages of a bucket, in seconds since it began, by Goldmane's clock: settled six minutes after its end, final at 55 minutes. */
export const settleAgeSeconds = bucketSeconds + 6 * 60;
export const finalAgeSeconds = 55 * 60;
/** Older buckets are not listed: they may leave the ring before the call arrives. */
export const oldestAskedSeconds = 3_540;
/** A bucket leaves the ring 3,615 s after it began; what was not observed by this age is a gap. */
export const decidedAgeSeconds = 3_660;

export interface DueBucket {
  startSeconds: number;
  stage: 'settled' | 'final';
}

/**
 * The buckets to list now, oldest first: those that no longer change and were never settled, and those about to leave the ring.
 * Pure.
 * @param finalAsked buckets already listed for the last time, regardless of the response
 * @param refusedBefore merges reject buckets before this; if Goldmane's clock was hours ahead, recent ones can be among
 * them
 */
export function dueBuckets(
  ledger: readonly LedgerBucket[],
  nowSeconds: number,
  finalAsked: ReadonlySet<number>,
  refusedBefore = Number.NEGATIVE_INFINITY,
): DueBucket[] {
  const states = new Map(ledger.map((bucket) => [bucket.startSeconds, bucket]));
  const first = Math.max(
    Math.ceil((nowSeconds - oldestAskedSeconds) / bucketSeconds) * bucketSeconds,
    refusedBefore,
  );
  const due: DueBucket[] = [];
  for (let start = first; start + settleAgeSeconds <= nowSeconds; start += bucketSeconds) {
    const bucket = states.get(start);
    const stage = start + finalAgeSeconds <= nowSeconds ? 'final' : 'settled';
    if (bucket?.state === 'final' || finalAsked.has(start)) continue;
    // The ledger has the reason why an earlier response was not sufficient; the bucket is listed once more before it
    // leaves the ring.
    const wasAsked =
      bucket?.state === 'settled' || bucket?.state === 'incomplete' || bucket?.cause !== undefined;
    if (stage === 'settled' && wasAsked) continue;
    due.push({ startSeconds: start, stage });
  }
  return due;
}

/**
 * Coverage for reports based on facts: recent streamed-only time may still be settled, so it is reported as pending.
 * Pure.
 * @param nowSeconds the end of the stretches
 */
export function markRecentStreamedAsPending(
  stretches: readonly CoverageStretch[],
  nowSeconds: number,
): CoverageStretch[] {
  const lastSettled = stretches.findLastIndex(({ state }) => state === 'settled' || state === 'final');
  return stretches.map((stretch, index) =>
    index > lastSettled && stretch.state === 'streamed' && stretch.toSeconds > nowSeconds - decidedAgeSeconds
      ? { fromSeconds: stretch.fromSeconds, toSeconds: stretch.toSeconds, state: 'pending' }
      : stretch,
  );
}
