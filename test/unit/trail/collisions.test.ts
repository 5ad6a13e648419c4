import { describe, expect, test } from 'vitest';
import { HashSet } from '../../../src/trail/merge/hashes.ts';
import { planMerge, type LedgerRow } from '../../../src/trail/merge/merge-plan.ts';
import type { RecordHasher } from '../../../src/trail/merge/record-hash.ts';
import type { TrailRecord } from '../../../src/trail/record.ts';
import { listed, startSeconds, streamed } from '../../integration/ledger-batches.ts';

const never = Number.NEGATIVE_INFINITY;
/** A hasher that uses only a record's last digit, so that 1 and 11 have the same hash. */
const weakHasher: RecordHasher = {
  hash: (content) => BigInt(content) % 10n,
  hashOf: ({ content }) => BigInt(content) % 10n,
};

function row(): LedgerRow {
  return { startSeconds, hasher: weakHasher, streamed: new HashSet(), settled: new HashSet() };
}

function plan(ledgerRow: LedgerRow, records: readonly TrailRecord[]) {
  return planMerge(new Map([[startSeconds, ledgerRow]]), [{ startSeconds, records }], never);
}

describe('records of a bucket with the same hash and different contents', () => {
  test('are all skipped and counted', () => {
    const { collided, edges, newFactRecords } = plan(row(), [
      listed(1, { dst: { kind: 'workload', ns: 'b', identity: '' } }),
      listed(2),
      listed(11, { dst: { kind: 'workload', ns: 'c', identity: '' } }),
      listed(21),
    ]);
    expect(collided.get(startSeconds)).toBe(3);
    expect(newFactRecords).toBe(1);
    expect(edges.map(({ edge, count }) => [edge.dstNs, count])).toEqual([['b', 1]]);
  });

  test('are detected in two batches of one merge', () => {
    const { collided } = planMerge(
      new Map([[startSeconds, row()]]),
      [
        { startSeconds, records: [streamed(1)] },
        { startSeconds, records: [listed(11)] },
      ],
      never,
    );
    expect(collided.get(startSeconds)).toBe(2);
  });

  test('do not count more in facts than in edges, regardless of which was streamed', () => {
    const ledgerRow = row();
    expect(plan(ledgerRow, [streamed(11, 'c')]).newEdgeRecords).toBe(1);
    const { collided, edges, facts } = plan(ledgerRow, [listed(1), listed(11)]);
    expect([collided.get(startSeconds), edges, facts]).toEqual([2, [], []]);
    expect([...ledgerRow.streamed]).toEqual([1n]);
  });

  test('are not a collision in two buckets', () => {
    const next = startSeconds + 15;
    const { collided, newEdgeRecords } = planMerge(
      new Map([
        [startSeconds, row()],
        [next, row()],
      ]),
      [
        { startSeconds, records: [streamed(1)] },
        { startSeconds: next, records: [streamed(11)] },
      ],
      never,
    );
    expect([collided.size, newEdgeRecords]).toEqual([0, 2]);
  });
});

test('equal content in another object or with another policy trace is the same record', () => {
  const { collided, newEdgeRecords } = plan(row(), [
    streamed(1),
    streamed(1),
    listed(1, { digest: 1n }),
    listed(1, { digest: 2n }),
  ]);
  expect([collided.size, newEdgeRecords]).toEqual([0, 1]);
});
