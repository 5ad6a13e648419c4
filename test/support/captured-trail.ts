import type { Database } from '../../src/trail/database/database.ts';
import { merge } from '../../src/trail/merge/merge.ts';
import { options } from '../integration/ledger-batches.ts';
import { captureByBucket, captureIdentities, foldListed } from './captured-buckets.ts';

/** Merges the capture of a real cluster (2026-11-22), with identities, ports and policy traces. */
export async function mergeCapture(database: Database): Promise<void> {
  await merge(
    database,
    [...captureByBucket()].map(([startSeconds, raw]) => ({
      startSeconds,
      records: foldListed(raw, startSeconds, captureIdentities).records,
      settled: 'final' as const,
    })),
    options,
  );
}
