import type { CoverageState, CoverageStretch } from '../trail/coverage-ranges/coverage.ts';
import { coveredTime, floorToTenthDay } from './covered-time.ts';

/** Data of a working trail is younger than this. */
export const freshSeconds = 6 * 60;

const namedGaps = 50;

type MissedState = Extract<CoverageState, 'gap' | 'streamed' | 'incomplete'>;

/** A time range that was not fully observed. */
interface MissedRange {
  from: Date;
  to: Date;
  state: MissedState;
  cause?: string;
}

export interface MissedRanges {
  /** The newest 50 time ranges that were not fully observed, newest last. */
  gaps: MissedRange[];
  /** All of them. */
  gapCount: number;
}

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

/** Pure. @param coverage in any order */
export function missedRanges(coverage: readonly CoverageStretch[]): MissedRanges {
  const gaps = coverage
    .toSorted((a, b) => a.fromSeconds - b.fromSeconds)
    .flatMap(({ fromSeconds, toSeconds, state, cause }): MissedRange[] =>
      isMissed(state)
        ? [
            {
              from: new Date(fromSeconds * 1000),
              to: new Date(toSeconds * 1000),
              state,
              ...(cause === undefined ? {} : { cause }),
            },
          ]
        : [],
    );
  return { gaps: gaps.slice(-namedGaps), gapCount: gaps.length };
}

function isMissed(state: CoverageState): state is MissedState {
  return state === 'gap' || state === 'streamed' || state === 'incomplete';
}
