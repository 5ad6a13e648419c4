import { pino } from 'pino';
import { expect, test } from 'vitest';
import { invalidListResponse, tooManyRecords } from '../../../src/goldmane/failure.ts';
import { RejectedBuckets } from '../../../src/ingest/rejected-buckets.ts';

test.each([
  ['goldmane_response_too_large', tooManyRecords(0, 2, 1)],
  ['goldmane_invalid_list_response', invalidListResponse(0, 'a test')],
])('the kind of a rejected response is %s', async (kind, failure) => {
  const rejected = new RejectedBuckets(pino({ level: 'silent' }));
  rejected.beginRound();
  await rejected.listOrSetAside({ startSeconds: 0, stage: 'settled' }, () => Promise.reject(failure));
  expect(rejected.rejection).toBe(failure.message);
  expect(rejected.rejectionKind).toBe(kind);
});
