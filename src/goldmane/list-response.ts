import { setImmediate } from 'node:timers/promises';
import { MalformedFlow, type FlowDecoder, type ListedRecord } from './decoder/decode.ts';
import { invalidListResponse, tooManyRecords } from './failure.ts';

const recordsPerStep = 2_000;

interface ResponseVisitor {
  /** Called once, before any record is decoded, with the number of records in the response. */
  onStart(records: number): void;
  onRecord(record: ListedRecord): void;
  onMalformed(error: MalformedFlow): void;
}

/** Visits the records of the `List` response for one bucket and checks that the response is complete and belongs to
 * this bucket. It pauses every few thousand records, because a response of 250,000 takes seconds.
 * @param maxRecords a response with more records is rejected before any record is decoded
 * @returns the number of records, including malformed ones
 * @throws GoldmaneFailure (`invalid_list_response`, `response_too_large`), MalformedFlow
 */
export function* visitResponse(
  decoder: FlowDecoder,
  raw: Buffer,
  { startSeconds, maxRecords }: { startSeconds: number; maxRecords: number },
  visitor: ResponseVisitor,
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
    throw invalidListResponse(startSeconds, `its total is ${totalResults} records, but it contains ${count}`);
  return count;
}

/** Reads a response in steps, with other work between them. @throws GoldmaneFailure, even for a malformed response */
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
