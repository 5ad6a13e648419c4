import { expect, test } from 'vitest';
import { readEvidenceAndTraces } from '../../src/trail/facts/evidence.ts';
import { merge } from '../../src/trail/merge/merge.ts';
import type { TrailRecord } from '../../src/trail/record.ts';
import { captureEvidence } from '../support/capture-evidence.ts';
import { mergeCapture } from '../support/captured-trail.ts';
import { databasePerTest } from '../support/database.ts';
import { batch, listed, options, startSeconds } from './ledger-batches.ts';

const { database } = databasePerTest();

test('the evidence of a period is what was observed in it', async () => {
  await mergeCapture(database);
  const day = Math.floor(Date.parse('2026-11-22') / 86_400_000);
  const { facts } = await readEvidenceAndTraces(database.query, { fromDay: day, toDay: day + 1 });
  expect(facts).toHaveLength(captureEvidence().length);
  expect(facts).toEqual(expect.arrayContaining(captureEvidence()));
  const later = await readEvidenceAndTraces(database.query, { fromDay: day + 1, toDay: day + 9 });
  expect(later).toEqual({ facts: [], traced: [] });
});

test('a fact under several policy traces is one fact, with the days and counts of all of them', async () => {
  const day = startSeconds / 86_400;
  const at = (later: number) => startSeconds + later * 86_400;
  const settle = (later: number, ...records: TrailRecord[]) =>
    merge(database, [batch(at(later), records, { settled: 'final' })], { ...options, nowSeconds: at(later) });
  await settle(0, listed(1, { digest: 1n }), listed(2, { digest: 2n }));
  await settle(1, listed(3, { digest: 2n }));
  const { facts, traced } = await readEvidenceAndTraces(database.query, {
    fromDay: Math.floor(day),
    toDay: Math.floor(day) + 2,
  });
  expect(new Map(traced.map(({ days, flowCount }) => [days, flowCount]))).toEqual(
    new Map([
      [1, 1],
      [2, 2],
    ]),
  );
  expect(facts).toMatchObject([
    {
      flowCount: 3,
      firstSeconds: startSeconds,
      lastSeconds: at(1) + 15,
      days: [Math.floor(day), Math.floor(day) + 1],
    },
  ]);
});
