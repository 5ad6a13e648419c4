import { missedRanges, type MissedRanges } from '../coverage/observed.ts';
import { readCoverage } from '../trail/coverage-ranges/coverage.ts';
import type { Query } from '../trail/database/database.ts';

/** Why an edge or a flow fact that was not seen since a time may have been active after all. */
export interface DoubtfulSilence {
  /** Gaps and incomplete time since then. */
  missed: MissedRanges;
  /** The end of the settled time, if it is not after that time: flow facts of later time are not stored yet. */
  factsUntil?: Date;
}

/** @throws DatabaseFailure */
export async function readDoubtfulSilence(query: Query, since: Date, now: Date): Promise<DoubtfulSilence> {
  const [sinceSeconds, nowSeconds] = [since.getTime() / 1000, now.getTime() / 1000];
  const coverage = await readCoverage(query, sinceSeconds - 3_600, nowSeconds);
  const settled = coverage.findLast(({ state }) => state === 'settled' || state === 'final');
  return {
    missed: missedRanges(
      coverage.filter(
        ({ toSeconds, state }) => toSeconds > sinceSeconds && (state === 'gap' || state === 'incomplete'),
      ),
    ),
    ...(settled !== undefined && settled.toSeconds <= sinceSeconds
      ? { factsUntil: new Date(settled.toSeconds * 1000) }
      : {}),
  };
}
