import { daySeconds } from '../time/units.ts';
import type { CoverageState, CoverageStretch } from '../trail/coverage-ranges/coverage.ts';

/** Seconds as days, rounded down to a tenth: 6.96 days must not be shown as 7. */
export function floorToTenthDay(seconds: number): number {
  return Math.floor((seconds * 10) / daySeconds) / 10;
}

/**
 * Settled time, in which the absence of a flow is evidence: a settled bucket has all records and facts. Streamed-only
 * time may lack one record in twenty and has no facts, so it does not count.
 */
export function coveredTime(stretches: readonly CoverageStretch[]): TimeSpans {
  return new TimeSpans(stretches.filter(({ state }) => kindOf(state) === 'covered'));
}

/** The time that was not fully observed. Pending time is neither covered nor missed. */
export function missedTime(stretches: readonly CoverageStretch[]): TimeSpans {
  return new TimeSpans(stretches.filter(({ state }) => kindOf(state) === 'missed'));
}

function kindOf(state: CoverageState): 'covered' | 'missed' | 'open' {
  switch (state) {
    case 'final':
    case 'settled':
      return 'covered';
    case 'incomplete':
    case 'streamed':
    case 'gap':
      return 'missed';
    case 'pending':
      return 'open';
  }
}

/** A set of disjoint time spans that can sum the time covered between two times. Times are epoch seconds. */
export class TimeSpans {
  /** Disjoint, oldest first. */
  readonly #spans: readonly { from: number; to: number }[];
  /** Total seconds of the spans before each span. */
  readonly #before: readonly number[];

  /** @param stretches in any order */
  constructor(stretches: readonly Pick<CoverageStretch, 'fromSeconds' | 'toSeconds'>[]) {
    const spans: { from: number; to: number }[] = [];
    for (const { fromSeconds: from, toSeconds: to } of stretches.toSorted(
      (a, b) => a.fromSeconds - b.fromSeconds,
    )) {
      const last = spans.at(-1);
      if (last && from <= last.to) last.to = Math.max(last.to, to);
      else spans.push({ from, to });
    }
    let sum = 0;
    this.#before = spans.map(({ from, to }) => {
      const before = sum;
      sum += to - from;
      return before;
    });
    this.#spans = spans;
  }

  /** Start of the first span. */
  get beganAt(): number | undefined {
    return this.#spans[0]?.from;
  }

  /** End of the last span. */
  get endedAt(): number | undefined {
    return this.#spans.at(-1)?.to;
  }

  /** Seconds of the spans between two times; 0 if `to` is not after `from`. */
  between(from: number, to: number): number {
    return Math.max(0, this.#until(to) - this.#until(from));
  }

  /** The first time at which the spans contain `seconds` since `from`; undefined if they contain fewer. */
  whenPassed(from: number, seconds: number): number | undefined {
    const wanted = this.#until(from) + seconds;
    const index = this.#lastIndex((_span, before) => before < wanted);
    const span = this.#spans[index];
    const before = this.#before[index];
    if (span === undefined || before === undefined || before + span.to - span.from < wanted) return undefined;
    return span.from + wanted - before;
  }

  #until(moment: number): number {
    const index = this.#lastIndex(({ from }) => from <= moment);
    const span = this.#spans[index];
    if (!span) return 0;
    return (this.#before[index] ?? 0) + Math.min(moment, span.to) - span.from;
  }

  /** Binary search: index of the last span that satisfies `holds`, which all spans before it satisfy too; -1 for none. */
  #lastIndex(holds: (span: { from: number; to: number }, before: number) => boolean): number {
    let [low, high] = [0, this.#spans.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      const span = this.#spans[middle];
      if (span && holds(span, this.#before[middle] ?? 0)) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}
