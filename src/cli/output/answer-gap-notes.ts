import { readAnswerGaps } from '../../queries/answer-gaps.ts';
import { counted } from '../../text/counted.ts';
import type { Query } from '../../trail/database/database.ts';
import { formatTime } from './output.ts';

/**
 * Notes that tell an answer without rows from a trail that recorded nothing.
 * @param times from which the answer is; without any there are no notes
 * @throws DatabaseFailure
 */
export async function answerGapNotes(
  query: Query,
  times: readonly (Date | undefined)[],
  { isOfFacts }: { isOfFacts: boolean },
): Promise<string[]> {
  const [since] = times.flatMap((time) => time ?? []).toSorted((a, b) => a.getTime() - b.getTime());
  if (since === undefined) return [];
  const { missed, recordedUntil, factsUntil } = await readAnswerGaps(query, since, new Date());
  const [last] = missed.gaps.slice(-1);
  return [
    ...(last === undefined
      ? []
      : [
          `${counted(missed.gapCount, 'time range')} since ${formatTime(since)} ${missed.gapCount === 1 ? 'was' : 'were'} not fully observed, the last until ${formatTime(last.to)}; flows of that time may be missing (flow-trail coverage --gaps)`,
        ]),
    ...(recordedUntil === undefined
      ? []
      : [`nothing has been recorded since ${formatTime(recordedUntil)}; flow-trail status shows why`]),
    ...(isOfFacts && factsUntil !== undefined
      ? [`flow facts are stored up to ${formatTime(factsUntil)}; later flows are not included`]
      : []),
  ];
}
