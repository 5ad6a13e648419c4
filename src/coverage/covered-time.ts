import type { CoverageState, CoverageStretch } from '../trail/coverage.ts';

/** Days are of 24 hours here, whatever the clocks do. */
export const daySeconds = 86_400;

/** Seconds as days, rounded down to a tenth: 6.96 days are not seven. */
export function floorToTenthDay(seconds: number): number {
  return Math.floor((seconds * 10) / daySeconds) / 10;
}

/**
 * The time of which absence proves something: a settled bucket is whole, facts included. What was only streamed may lack
 * one record in twenty and has no facts; it does not count.
 */
export function coveredTime(stretches: readonly CoverageStretch[]): TimeSpans {
  return new TimeSpans(stretches.filter(({ state }) => kindOf(state) === 'covered'));
}

/** The time that was missed, wholly or in facts. What is too young to tell is neither covered nor missed. */
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

/** A set of moments: how much of it lies between two of them. Times are epoch seconds. */
export class TimeSpans {
  /** Disjoint, oldest first. */
  readonly #spans: readonly { from: number; to: number }[];
  /** Seconds of it before each span. */
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

  /** Its first moment. */
  get beganAt(): number | undefined {
    return this.#spans[0]?.from;
  }

  /** Where it ends. */
  get endedAt(): number | undefined {
    return this.#spans.at(-1)?.to;
  }

  /** How many seconds of it lie between two moments; 0 when the second is not later. */
  between(from: number, to: number): number {
    return Math.max(0, this.#until(to) - this.#until(from));
  }

  /** The first moment at which so many seconds of it have passed since `from`; undefined when they never have. */
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

  /** The last span of which something holds that holds of all before it; -1 for none. */
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
