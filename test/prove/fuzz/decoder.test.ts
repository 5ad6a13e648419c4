import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FlowDecoder, MalformedFlow } from '../../../src/goldmane/decoder/decode.ts';
import { encodeListAnswer } from '../../support/capture.ts';
import { runToEnd } from '../../support/run-to-end.ts';
import { outcome, textOf } from '../../unit/goldmane/records.ts';
import { lazyReferenceRecord } from '../../unit/goldmane/reference.ts';
import { claimHolds } from '../finding.ts';
import { fuzz } from './budget.ts';
import { damagedResults, noise } from './damaged.ts';

const decoder = new FlowDecoder({ internedBytes: 200_000 });

/** The record as decoded by the decoder that protobufjs generates; undefined if it rejects the bytes. */
function reference(raw: Buffer): string | undefined {
  try {
    return textOf(lazyReferenceRecord(raw));
  } catch {
    return undefined;
  }
}

test('decoder: a damaged record is rejected, or decoded as by the generated decoder', async (context) => {
  let accepted = 0;
  const cases = await fuzz(damagedResults, (raw) => {
    const ours = outcome(decoder, raw);
    if (!ours.startsWith('[')) return;
    accepted += 1;
    expect(ours).toBe(reference(raw));
  });
  claimHolds(context, `${cases}; ${accepted.toLocaleString('en-US')} accepted`);
});

test('decoder: a List response is decoded to the same records as the stream, and rejected records are reported', async (context) => {
  const cases = await fuzz(fc.array(damagedResults, { maxLength: 12 }), (results) => {
    const listed: string[] = [];
    const { count } = runToEnd(
      decoder.decodeList(
        encodeListAnswer(results),
        (record) => {
          listed.push(textOf(record));
          // Fields that are decoded on access must not throw either.
          void [record.trace, record.sourceLabel('app'), record.destLabel('app')];
        },
        ({ reason }) => listed.push(reason),
        Number.POSITIVE_INFINITY,
      ),
    );
    expect(count).toBe(results.length);
    expect(listed).toEqual(results.map((raw) => outcome(decoder, raw)));
  });
  claimHolds(context, cases);
});

test('decoder: arbitrary bytes as a List response are decoded or rejected as malformed', async (context) => {
  const answers = fc.oneof(
    noise,
    fc.array(damagedResults, { maxLength: 3 }).chain((results) =>
      fc.tuple(fc.nat(2_000), fc.nat(255)).map(([position, byte]) => {
        const answer = encodeListAnswer(results);
        if (answer.length > 0) answer[position % answer.length] = byte;
        return answer;
      }),
    ),
  );
  const cases = await fuzz(answers, (answer) => {
    try {
      runToEnd(
        decoder.decodeList(
          answer,
          ({ trace }) => void trace,
          () => undefined,
          Number.POSITIVE_INFINITY,
        ),
      );
    } catch (error) {
      if (!(error instanceof MalformedFlow)) throw error;
    }
  });
  claimHolds(context, cases);
});
