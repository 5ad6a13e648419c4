import { expect, test } from 'vitest';
import { ListedResponse } from '../../../src/flow-logs/records-to-send.ts';
import { FlowDecoder } from '../../../src/goldmane/decoder/decode.ts';
import { saltedHasher } from '../../../src/trail/merge/record-hash.ts';
import { encodeListAnswer } from '../../support/capture.ts';
import { encodeFlow } from '../trail/flow-messages.ts';

const startSeconds = 1_800_000_000;

test('a record under thousands of policy traces is one record, and other work runs while they are read', async () => {
  const traces = 5_000;
  const raw = encodeListAnswer(
    Array.from({ length: traces }, (_, n) => encodeFlow({ startSeconds, id: n + 1, policies: [`p-${n}`] })),
  );
  const response = await ListedResponse.read(new FlowDecoder(), raw, startSeconds, {
    hasher: saltedHasher(Buffer.alloc(16, 7)),
    maxRecords: traces,
    withLabels: false,
  });
  const visited = [...response.records(new BigUint64Array())];
  const [record, ...others] = visited.filter((each) => each !== undefined);
  expect(others).toEqual([]);
  expect(record).toMatchObject({ traces, details: { counters: { packetsIn: 3 * traces } } });
  expect(visited.filter((each) => each === undefined).length).toBeGreaterThanOrEqual(5);
});
