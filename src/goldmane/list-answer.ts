import { setImmediate } from 'node:timers/promises';
import { MalformedFlow, type FlowDecoder, type ListedRecord } from './decoder/decode.ts';
import { invalidListResponse, tooManyRecords } from './failure.ts';

const recordsPerStep = 2_000;

interface AnswerVisitor {
  /** Called once, before any record is decoded, with the number of records in the answer. */
  onStart(records: number): void;
  onRecord(record: ListedRecord): void;
  onMalformed(error: MalformedFlow): void;
}

/**
 * Visits the records of the answer of `List` for one bucket and checks that the answer is whole and of this bucket. It pauses every
 * few thousand records, because an answer of 250,000 takes seconds.
 * @param maxRecords an answer with more records is refused before any record is decoded
 * @returns the number of records, malformed ones included
 * @throws GoldmaneFailure (`invalid_list_response`, `answer_too_large`), MalformedFlow
 */
export function* visitAnswer(
  decoder: FlowDecoder,
  raw: Buffer,
  { startSeconds, maxRecords }: { startSeconds: number; maxRecords: number },
  visitor: AnswerVisitor,
): Generator<undefined, number> {
  const held = decoder.countRecords(raw);
  if (held > maxRecords) throw tooManyRecords(startSeconds, held, maxRecords);
  visitor.onStart(held);
  const { totalResults, count } = yield* decoder.decodeList(
    raw,
    (record) => {
      if (record.startSeconds !== startSeconds)
        throw invalidListResponse(startSeconds, `it contains a record of ${record.startSeconds}`);
      visitor.onRecord(record);
    },
    (error) => visitor.onMalformed(error),
    recordsPerStep,
  );
  if (totalResults !== count)
    throw invalidListResponse(startSeconds, `it announces ${totalResults} records but contains ${count}`);
  return count;
}

/** Runs the steps of reading an answer, and other work between them. @throws GoldmaneFailure, also for a broken answer */
export async function readInSteps<Result>(
  steps: Generator<undefined, Result>,
  startSeconds: number,
): Promise<Result> {
  try {
    for (;;) {
      const { done, value } = steps.next();
      if (done) return value;
      await setImmediate();
    }
  } catch (error) {
    if (!(error instanceof MalformedFlow)) throw error;
    throw invalidListResponse(startSeconds, `it cannot be read (${error.message})`);
  }
}
