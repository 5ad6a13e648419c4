import { bucketSeconds } from '../time/bucket.ts';
import { iso } from '../time/iso.ts';
import { decideExportGaps } from '../trail/export/export-gaps.ts';
import type { ExportDeps } from './deps.ts';
import type { ExportSummary } from './summary.ts';

/** Determines the gaps of the export in time that has left Goldmane's ring, reports them, and adds them to `summary`. */
export async function reportGaps(
  { database, log, metrics }: Pick<ExportDeps, 'database' | 'log' | 'metrics'>,
  { summary, signal }: { summary: Pick<ExportSummary, 'gaps'>; signal: AbortSignal },
): Promise<void> {
  for (let isBehind = true; isBehind && !signal.aborted;) {
    const decided = await decideExportGaps(database);
    ({ isBehind } = decided);
    for (const { fromSeconds, toSeconds, reason, cause, records } of decided.gaps) {
      const buckets = (toSeconds - fromSeconds) / bucketSeconds;
      metrics.gap(reason, buckets);
      if (reason !== 'not_settled') summary.gaps += buckets;
      log.warn(
        { from: iso(fromSeconds), to: iso(toSeconds), reason, cause, records },
        'Gap in the export: the receiver did not get all records of this time',
      );
    }
  }
}
