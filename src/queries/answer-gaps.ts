import { freshSeconds } from '../coverage/observed.ts';
import { missedRanges, type MissedRanges } from '../coverage/missed-ranges.ts';
import { readCoverage } from '../trail/coverage-ranges/coverage.ts';
import type { Query } from '../trail/database/database.ts';

/** Why an answer about the time since a moment may lack flows. */
export interface AnswerGaps {
  since: Date;
  /** Gaps and incomplete time since then. */
  missed: MissedRanges;
  /** The end of the recorded time, if it is old: nothing is being recorded. */
  recordedUntil?: Date;
  /** The end of the settled time, if it is not after that moment: no flow fact of later time is stored yet. */
  factsUntil?: Date;
}

/** Before the moment, to find the newest settled time. */
const lookbackSeconds = 3_600;

/** Nothing for an empty trail. @throws DatabaseFailure */
export async function readAnswerGaps(query: Query, since: Date, now: Date): Promise<AnswerGaps> {
  const [sinceSeconds, nowSeconds] = [since.getTime() / 1000, now.getTime() / 1000];
  const coverage = await readCoverage(query, sinceSeconds - lookbackSeconds, nowSeconds);
  const [first] = coverage;
  if (first === undefined) return { since, missed: missedRanges([]) };
  const settled = coverage.findLast(({ state }) => state === 'settled' || state === 'final');
  const recorded = coverage.findLast(({ state }) => state !== 'pending' && state !== 'gap');
  const recordedSeconds = recorded?.toSeconds ?? first.fromSeconds;
  const settledSeconds = settled?.toSeconds ?? first.fromSeconds;
  return {
    since,
    missed: missedRanges(
      coverage.filter(
        ({ toSeconds, state }) => toSeconds > sinceSeconds && (state === 'gap' || state === 'incomplete'),
      ),
    ),
    ...(recordedSeconds < nowSeconds - freshSeconds
      ? { recordedUntil: new Date(recordedSeconds * 1000) }
      : {}),
    ...(settledSeconds <= sinceSeconds ? { factsUntil: new Date(settledSeconds * 1000) } : {}),
  };
}
