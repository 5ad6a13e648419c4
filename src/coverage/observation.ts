import type { CoverageStretch } from '../trail/coverage.ts';
import { spanText } from '../time/zoned-time.ts';
import { counted } from '../text/counted.ts';

/** Settling asks for a bucket once it is six minutes old; what is older than this and still waits is worth a word. */
const usualWaitSeconds = 15 * 60;

export interface ToldGap {
  /** In the reader's zone. */
  from: string;
  to: string;
  seconds: number;
  cause: string;
}

/** What was not observed of the time that no digest told of yet. Times in text are in the reader's zone. */
export interface Observation {
  /** Nothing was ever observed. */
  isEmpty: boolean;
  /** When the trail began, where that was within the time that is told of. */
  trailBegan: string | undefined;
  gaps: ToldGap[];
  gapSeconds: number;
  /** Time of which records were refused, and how many. */
  incompleteSeconds: number;
  refusedRecords: number;
  /** Since when time is open that should be settled by now. */
  openSince: string | undefined;
}

/**
 * What is told of coverage. Pure.
 * @param coverage stretches from `from` to `now`
 * @param time how a time is written
 */
export function observe(
  coverage: readonly CoverageStretch[],
  { from, now, time }: { from: Date; now: Date; time: (at: Date) => string },
): Observation {
  const at = (seconds: number) => time(new Date(seconds * 1000));
  const toldUntilSeconds = gapsToldUntil(coverage, now).getTime() / 1000;
  const gaps = coverage
    .filter(({ state, fromSeconds }) => state === 'gap' && fromSeconds < toldUntilSeconds)
    .map(({ fromSeconds, toSeconds, cause }) => ({
      from: at(fromSeconds),
      to: at(toSeconds),
      seconds: toSeconds - fromSeconds,
      cause: cause ?? 'the cause is not known',
    }));
  const incomplete = coverage.filter(
    ({ state, fromSeconds }) => state === 'incomplete' && fromSeconds < toldUntilSeconds,
  );
  const [first] = coverage;
  const isOpenForLong = now.getTime() / 1000 - toldUntilSeconds > usualWaitSeconds;
  return {
    isEmpty: first === undefined,
    trailBegan: first && first.fromSeconds > from.getTime() / 1000 ? at(first.fromSeconds) : undefined,
    gaps,
    gapSeconds: gaps.reduce((sum, { seconds }) => sum + seconds, 0),
    incompleteSeconds: incomplete.reduce(
      (sum, { fromSeconds, toSeconds }) => sum + toSeconds - fromSeconds,
      0,
    ),
    refusedRecords: incomplete.reduce((sum, { refusedRecords = 0 }) => sum + refusedRecords, 0),
    openSince: isOpenForLong ? at(toldUntilSeconds) : undefined,
  };
}

/** Up to where gaps are told: what is still open is left to the next digest, so that each gap is told once. */
export function gapsToldUntil(coverage: readonly CoverageStretch[], now: Date): Date {
  const open = coverage.find(({ state }) => state === 'pending');
  return open ? new Date(open.fromSeconds * 1000) : now;
}

/**
 * A sentence each, the most important first; none when all was observed.
 * @param quote makes a cause harmless where it is shown
 */
export function observationLines(
  { isEmpty, trailBegan, gaps, gapSeconds, incompleteSeconds, refusedRecords, openSince }: Observation,
  { quote, atMost }: { quote: (cause: string) => string; atMost: number },
): string[] {
  if (isEmpty) return ['Nothing was observed yet: the trail has not begun.'];
  const lines: string[] = [];
  if (gaps.length > 0) {
    lines.push(`Not observed: ${spanText(gapSeconds)}, in ${counted(gaps.length, 'gap')}.`);
    for (const { from, to, seconds, cause } of gaps.slice(0, atMost))
      lines.push(`${from} to ${to} (${spanText(seconds)}): ${quote(cause)}`);
  }
  const rest = gaps.slice(atMost);
  if (rest.length > 0) {
    const seconds = rest.reduce((sum, gap) => sum + gap.seconds, 0);
    lines.push(`and ${counted(rest.length, 'more gap')}, ${spanText(seconds)}: flow-trail coverage --gaps`);
  }
  if (incompleteSeconds > 0)
    lines.push(
      `Incomplete: ${spanText(incompleteSeconds)}, ${counted(refusedRecords, 'record')} refused: flow-trail coverage --gaps`,
    );
  if (openSince !== undefined)
    lines.push(`Nothing is settled since ${openSince}; the next digest says what became of that time.`);
  if (trailBegan !== undefined) lines.push(`The trail begins at ${trailBegan}; nothing before was observed.`);
  return lines;
}
