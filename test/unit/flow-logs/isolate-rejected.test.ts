import type { ReadableLogRecord } from '@opentelemetry/sdk-logs';
import { noopMetricMeter } from '@temporalio/common';
import { Resource } from '@opentelemetry/resources';
import { expect, test } from 'vitest';
import { Delivery } from '../../../src/flow-logs/isolate-rejected.ts';
import { isReceiverFailure, receiverFailure } from '../../../src/flow-logs/failure.ts';
import { createExportMetrics } from '../../../src/flow-logs/metrics.ts';
import type { Answer } from '../../../src/flow-logs/receiver.ts';

const record = (body: string): ReadableLogRecord => ({
  body,
  hrTime: [0, 0],
  hrTimeObserved: [0, 0],
  attributes: {},
  droppedAttributesCount: 0,
  resource: new Resource({}),
  instrumentationScope: { name: 'test' },
});

/** Sends 40 records of a suspect bucket, ten per request. @param answer by the request's number and content */
async function deliver(answer: (request: number, content: string) => Answer['status'] | 'failure') {
  let requests = 0;
  const send = (body: Uint8Array): Promise<Answer> => {
    const status = answer((requests += 1), Buffer.from(body).toString('latin1'));
    return status === 'failure'
      ? Promise.reject(receiverFailure({ kind: 'refused', what: 'status 500', cure: 'none' }))
      : Promise.resolve(
          status === 'accepted' ? { status, rejected: 0, message: '' } : { status, message: '' },
        );
  };
  const delivery = new Delivery(
    {
      receiver: { name: 'receiver', send },
      config: { batchRecords: 10, batchBytes: 1_000_000 },
      metrics: createExportMetrics(noopMetricMeter),
      signal: new AbortController().signal,
    },
    { hasAccepted: true, isSuspect: true },
  );
  let failure: unknown;
  try {
    for (let n = 0; n < 40; n += 1)
      await delivery.add(BigInt(n), { record: record(`record-${n};`), bytes: 100 });
    await delivery.finish();
  } catch (error) {
    failure = error;
  }
  const { accepted, rejected, done } = delivery;
  return { accepted, rejected: rejected.count, done: done.length, failure };
}

test('a receiver that fails for a while rejects no record of a suspect bucket', async () => {
  // Ten records, then halves of five, three and two: the failures hit single records too.
  const result = await deliver((request) => (request >= 2 && request <= 7 ? 'failure' : 'accepted'));
  expect(result).toEqual({ accepted: 40, rejected: 0, done: 40, failure: undefined });
});

test('a record at which the receiver fails again at the end of the bucket counts as rejected', async () => {
  const result = await deliver((_, content) => (content.includes('record-17;') ? 'failure' : 'accepted'));
  expect(result).toEqual({ accepted: 39, rejected: 1, done: 40, failure: undefined });
});

test('a record that the receiver rejects as invalid is not sent again', async () => {
  let seen = 0;
  const result = await deliver((_, content) => {
    if (!content.includes('record-17;')) return 'accepted';
    seen += 1;
    return 'invalid';
  });
  expect(result).toMatchObject({ accepted: 39, rejected: 1 });
  // In requests of ten, five, three (or two) and one.
  expect(seen).toBeLessThanOrEqual(5);
});

test('a receiver that fails at every record has rejected none', async () => {
  const result = await deliver(() => 'failure');
  expect(result).toMatchObject({ accepted: 0, rejected: 0, done: 0 });
  expect(isReceiverFailure(result.failure)).toBe(true);
});
