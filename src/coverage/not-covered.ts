import { iso } from '../time/iso.ts';
import type { CoverageStretch } from '../trail/coverage-ranges/coverage.ts';

/** A time range that was not fully observed. Times are ISO 8601 in UTC. */
export interface NotCovered {
  from: string;
  to: string;
  /** A coverage state, or `unknown` if there is none. */
  state: string;
  cause?: string;
}

/**
 * The parts of a period that are not settled, oldest first. Time without a coverage range (before the trail began, or in
 * the future) is `unknown`. Pure.
 */
export function notCovered(
  coverage: readonly CoverageStretch[],
  fromSeconds: number,
  toSeconds: number,
): NotCovered[] {
  const found: NotCovered[] = [];
  let at = fromSeconds;
  const addUnknown = (until: number) => {
    if (until > at)
      found.push({
        from: iso(at),
        to: iso(until),
        state: 'unknown',
        cause: 'no coverage recorded for this time',
      });
  };
  for (const stretch of coverage.toSorted((a, b) => a.fromSeconds - b.fromSeconds)) {
    addUnknown(stretch.fromSeconds);
    const { state, cause } = stretch;
    if (state !== 'final' && state !== 'settled')
      found.push({
        from: iso(stretch.fromSeconds),
        to: iso(stretch.toSeconds),
        state,
        ...(cause === undefined ? {} : { cause }),
      });
    at = Math.max(at, stretch.toSeconds);
  }
  addUnknown(toSeconds);
  return found;
}
