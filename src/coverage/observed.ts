import type { CoverageStretch } from '../trail/coverage-ranges/coverage.ts';
import { coveredTime, floorToTenthDay } from './covered-time.ts';
import { missedRanges, type MissedRanges } from './missed-ranges.ts';

/** Data of a working trail is younger than this. */
export const freshSeconds = 6 * 60;

/** How much of a period was observed. */
export interface Observed extends MissedRanges {
  /** Start of the recorded time in the period; null if there is none. */
  from: Date | null;
  /** Settled time in days, rounded down to a tenth. */
  coveredDays: number;
}

/** Pure. @param coverage of the period, in any order */
export function observedOf(coverage: readonly CoverageStretch[]): Observed {
  const [began] = coverage.map(({ fromSeconds }) => fromSeconds).toSorted((a, b) => a - b);
  return {
    from: began === undefined ? null : new Date(began * 1000),
    coveredDays: floorToTenthDay(coveredTime(coverage).between(0, Infinity)),
    ...missedRanges(coverage),
  };
}
