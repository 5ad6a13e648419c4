import { daySeconds } from '../time/units.ts';
import { readCoverage, type CoverageStretch } from '../trail/coverage-ranges/coverage.ts';
import type { Query } from '../trail/database/database.ts';
import { markRecentStreamedAsPending } from '../trail/coverage-ranges/due-buckets.ts';
import type { DayPeriod } from '../trail/facts/evidence.ts';

/** The coverage of a period of whole UTC days, until now if it has not ended. @throws DatabaseFailure */
export async function readPeriodCoverage(
  query: Query,
  { fromDay, toDay }: DayPeriod,
  now: Date,
): Promise<CoverageStretch[]> {
  const untilSeconds = Math.min(toDay * daySeconds, now.getTime() / 1000);
  return markRecentStreamedAsPending(
    await readCoverage(query, fromDay * daySeconds, untilSeconds),
    untilSeconds,
  );
}
