import type { CoverageState, CoverageStretch } from '../trail/coverage-ranges/coverage.ts';

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
