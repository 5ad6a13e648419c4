import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FlowDecoder, MalformedFlow } from '../../../src/goldmane/decoder/decode.ts';
import { encodeListAnswer } from '../../support/capture.ts';
import { runToEnd } from '../../support/run-to-end.ts';
import { outcome, textOf } from '../../unit/goldmane/records.ts';
import { lazyReferenceRecord } from '../../unit/goldmane/reference.ts';
import { found } from '../finding.ts';
import { fuzz } from './budget.ts';
import { damagedResults, noise } from './damaged.ts';

const decoder = new FlowDecoder({ internedBytes: 200_000 });

/** What the decoder that protobufjs generates makes of it; undefined: it refuses it. */
function reference(raw: Buffer): string | undefined {
  try {
    return textOf(lazyReferenceRecord(raw));
  } catch {
    return undefined;
  }
}

test('decoder: a damaged record is what the generated decoder makes of it, or refused', async (context) => {
  let accepted = 0;
  const seen = await fuzz(damagedResults, (raw) => {
    const ours = outcome(decoder, raw);
    if (!ours.startsWith('[')) return;
    accepted += 1;
    expect(ours).toBe(reference(raw));
  });
  found(context, {
    claim: context.task.name,
    seen: `${seen}; ${accepted.toLocaleString('en-US')} accepted`,
    verdict: 'kept',
  });
});

test('decoder: an answer of List has each record as the stream has it, and counts those refused', async (context) => {
  const seen = await fuzz(fc.array(damagedResults, { maxLength: 12 }), (results) => {
    const listed: string[] = [];
    const { count } = runToEnd(
      decoder.decodeList(
        encodeListAnswer(results),
        (record) => {
          listed.push(textOf(record));
          // What is decoded only when it is asked for must not throw either.
          void [record.trace, record.sourceLabel('app'), record.destLabel('app')];
        },
        ({ reason }) => listed.push(reason),
        Number.POSITIVE_INFINITY,
      ),
    );
    expect(count).toBe(results.length);
    expect(listed).toEqual(results.map((raw) => outcome(decoder, raw)));
  });
  found(context, { claim: context.task.name, seen, verdict: 'kept' });
});

test('decoder: any bytes as an answer of List are read or refused as malformed', async (context) => {
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
  const seen = await fuzz(answers, (answer) => {
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
  found(context, { claim: context.task.name, seen, verdict: 'kept' });
});
