import fc from 'fast-check';
import {
  assessCompleteness,
  type CompletenessInput,
  type NamespaceCompleteness,
} from '../../../src/reports/completeness.ts';
import { daySeconds } from '../../../src/time/units.ts';
import type { Thresholds } from '../../../src/coverage/verdict.ts';
import type { CoverageState, CoverageStretch } from '../../../src/trail/coverage-ranges/coverage.ts';
import type { NamespaceDay, NamespaceObservation } from '../../../src/trail/facts/namespace-observations.ts';

/** Monday 2 November 2026, 00:00 UTC, which is also 00:00 in London. */
export const monday = Date.parse('2026-11-02T00:00:00Z') / 1000;
export const usual: Thresholds = { minimumDays: 7, stableDays: 3, staleDays: 14 };

/** The time `days` after `monday`, in epoch seconds. */
export function at(days: number): number {
  return Math.round(monday + days * daySeconds);
}

export function stretch(from: number, to: number, state: CoverageState = 'final'): CoverageStretch {
  return { fromSeconds: at(from), toSeconds: at(to), state, ...(state === 'gap' ? { cause: 'away' } : {}) };
}

/** A namespace that is a source in every hour of the days `from` to `to` - 1. */
export function seenDaily(from: number, to: number, egressHours = 0xffffff): NamespaceDay[] {
  return Array.from({ length: to - from }, (_, index) => seenOn(from + index, egressHours));
}

export function seenOn(day: number, egressHours = 0xffffff): NamespaceDay {
  return {
    day: at(day) / daySeconds,
    firstSeconds: at(day),
    lastSeconds: at(day + 1) - 15,
    egressHours,
  };
}

export function observation(
  days: NamespaceDay[],
  more: Partial<NamespaceObservation> = {},
): NamespaceObservation {
  return {
    namespace: 'a',
    days,
    egressEdges: 0,
    newestEgressEdgeSeconds: undefined,
    edgesFirstSeconds: undefined,
    edgesLastSeconds: undefined,
    ...more,
  };
}

/** An observation with an egress edge first seen `newest` days after `monday`. */
export function withEdge(days: NamespaceDay[], newest: number): NamespaceObservation {
  return observation(days, { egressEdges: 1, newestEgressEdgeSeconds: at(newest) });
}

export interface AssessmentContext extends Partial<Omit<CompletenessInput, 'observations' | 'nowSeconds'>> {
  now: number;
}

/** The completeness of one namespace. */
export function judged(
  seen: NamespaceObservation,
  { now, coverage = [stretch(0, now)], ...more }: AssessmentContext,
): NamespaceCompleteness {
  const { namespaces } = assessCompleteness({
    observations: [seen],
    coverage,
    nowSeconds: at(now),
    timeZone: 'Europe/London',
    thresholds: usual,
    ...more,
  });
  const [row] = namespaces;
  if (!row) throw new Error('the report has no namespace');
  return row;
}

export const anyThresholds = fc.record({
  minimumDays: fc.integer({ min: 0, max: 12 }),
  stableDays: fc.integer({ min: 1, max: 6 }),
  staleDays: fc.integer({ min: 1, max: 30 }),
});

/** Adjacent stretches from `monday` on, in quarters of an hour, for about six weeks, mostly covered. */
export const anyCoverage: fc.Arbitrary<CoverageStretch[]> = fc
  .array(
    fc.tuple(
      fc.record({
        quarters: fc.integer({ min: 1, max: 700 }),
        state: fc.constantFrom<CoverageState>('final', 'settled'),
      }),
      fc.record({
        quarters: fc.integer({ min: 1, max: 200 }),
        state: fc.constantFrom<CoverageState>('final', 'settled', 'streamed', 'gap'),
      }),
    ),
    { minLength: 1, maxLength: 10, size: 'max' },
  )
  .map((parts) => {
    let from = monday;
    return parts.flat().map(({ quarters, state }) => {
      const fromSeconds = from;
      from += quarters * 900;
      return { fromSeconds, toSeconds: from, state };
    });
  });

/** A namespace seen on some of the first 42 days, possibly with an edge. */
export const anyObservation: fc.Arbitrary<NamespaceObservation> = fc
  .record({
    days: fc.uniqueArray(fc.integer({ min: 0, max: 41 }), { maxLength: 42, size: 'max' }),
    hours: fc.integer({ min: 0, max: 0xffffff }),
    newest: fc.option(fc.integer({ min: 0, max: 30 }), { nil: undefined }),
  })
  .map(({ days, hours, newest }) => {
    const seen = days.toSorted((a, b) => a - b).map((day) => seenOn(day, hours));
    return newest === undefined ? observation(seen) : withEdge(seen, newest);
  });
