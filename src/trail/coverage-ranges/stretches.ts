import type { CoverageStretch } from './coverage.ts';
import type { LedgerBucket } from '../merge/ledger.ts';
import { bucketSeconds } from '../../time/bucket.ts';

/**
 * Joins buckets into stretches: neighbours with the same state and cause become one. A bucket without a row gets the
 * state and cause of `missing`. Pure.
 */
export function joinStretches(
  buckets: readonly Omit<LedgerBucket, 'hasRecords'>[],
  fromSeconds: number,
  toSeconds: number,
  missing: Pick<CoverageStretch, 'state' | 'cause'>,
): CoverageStretch[] {
  const stretches: CoverageStretch[] = [];
  const add = (from: number, to: number, kind: Omit<CoverageStretch, 'fromSeconds' | 'toSeconds'>) => {
    if (to <= from) return;
    const next = { fromSeconds: from, toSeconds: to, ...kind };
    const last = stretches.at(-1);
    if (last && continues(last, next)) extend(last, next);
    else stretches.push(next);
  };
  let at = fromSeconds;
  for (const bucket of buckets) {
    const endSeconds = Math.min(bucket.startSeconds + bucketSeconds, toSeconds);
    if (endSeconds <= at || bucket.startSeconds >= toSeconds) continue;
    add(at, bucket.startSeconds, missing);
    const { state, cause, refusedRecords } = bucket;
    add(Math.max(at, bucket.startSeconds), endSeconds, {
      state,
      ...(state === 'gap' && cause !== undefined ? { cause } : {}),
      ...(refusedRecords === undefined ? {} : { refusedRecords }),
    });
    at = endSeconds;
  }
  add(at, toSeconds, missing);
  return stretches;
}

export function continues(last: CoverageStretch, next: CoverageStretch): boolean {
  return last.toSeconds === next.fromSeconds && last.state === next.state && last.cause === next.cause;
}

export function extend(last: CoverageStretch, next: CoverageStretch): void {
  last.toSeconds = next.toSeconds;
  if (next.refusedRecords !== undefined)
    last.refusedRecords = (last.refusedRecords ?? 0) + next.refusedRecords;
}
