import { CancelledFailure } from '@temporalio/common';
import { afterEach, describe, expect, test } from 'vitest';
import { goldmaneFailure, type GoldmaneFailure } from '../../src/goldmane/failure.ts';
import { skippedCause } from '../../src/ingest/listing-log.ts';
import { encodeListAnswer } from '../support/capture.ts';
import { readEdges, readUnexplainedEdges } from '../support/database.ts';
import { fullTest } from '../support/full.ts';
import { encodeFlow } from '../unit/trail/flow-messages.ts';
import type { Flows } from './coverage-fake-goldmane.ts';
import { Settling } from './coverage-settling-harness.ts';

const start = 1_800_000_000;
const busy = (): Flows => Array.from({ length: 10 }, (_, n) => ({ port: n + 1 }));
let settling: Settling;
afterEach(() => settling.db.drop());

function failure(kind: GoldmaneFailure['kind'], what: string): GoldmaneFailure {
  return goldmaneFailure({ kind, what, cure: 'Cure it' });
}

describe('settling', () => {
  test('lists each bucket six minutes after its end and once more before it leaves the ring, oldest first', async () => {
    settling = await Settling.create(start, busy);
    const { goldmane } = settling;
    const ages: number[] = [];
    goldmane.onList = (bucket) => {
      ages.push(Math.floor(goldmane.nowSeconds - bucket));
      return undefined;
    };
    await settling.run(150);
    const end = settling.clock.now() / 1000;
    const times = new Map<number, number>();
    for (const asked of goldmane.requested) times.set(asked, (times.get(asked) ?? 0) + 1);
    for (let bucket = start - 3_525; bucket <= end - 450; bucket += 15)
      expect([bucket, times.get(bucket)]).toEqual([bucket, expect.toBeOneOf([1, 2, 3])]);
    // Each bucket twice, and one bucket once more per window, to recognise the server run.
    expect(goldmane.requested.length).toBeLessThan(2 * times.size + 20);
    expect(goldmane.requested.slice(0, 100)).toEqual(
      goldmane.requested.slice(0, 100).toSorted((a, b) => a - b),
    );
    expect(Math.max(...ages)).toBeLessThanOrEqual(3_540);
    expect(Math.min(...ages)).toBeGreaterThanOrEqual(375);
    const [edge] = await readEdges(settling.db.database);
    expect(edge?.flow_count).toBe(10 * times.size);
    expect(await readUnexplainedEdges(settling.db.database)).toEqual([]);
    expect((await settling.coverage(start, end - 3_700)).map(({ state }) => state)).toEqual(['final']);
  });

  test('reports success after each successful round, and the kind of the failure after a failed one', async () => {
    settling = await Settling.create(start, busy);
    await settling.run(30);
    const { length } = settling.heartbeats;
    expect(new Set(settling.heartbeats)).toEqual(new Set(['succeeded']));
    expect(length).toBeGreaterThanOrEqual(25);
    settling.goldmane.onList = () => {
      throw failure('timeout', 'List took too long');
    };
    await settling.run(30);
    expect(new Set(settling.heartbeats.slice(length))).toEqual(new Set(['goldmane_timeout']));
  });

  test('settles an outage of 48 minutes without a gap', async () => {
    settling = await Settling.create(start, busy);
    await settling.run(30);
    settling.clock.pass(48 * 60);
    const [summary] = await settling.run(15);
    expect(summary?.bucketsWaiting).toBe(0);
    expect(await settling.gaps()).toEqual([]);
    expect(summary?.serverRestarts).toBe(0);
  });

  test('returns its summary when cancelled, and is cancelled when its worker shuts down', async () => {
    settling = await Settling.create(start, busy);
    const asked = await settling.window(15, {
      during: (environment) => setTimeout(() => environment.cancel(), 100),
    });
    expect(asked.ended).toBe('cancelled');
    const downed = settling.window(15, {
      during: (environment) =>
        setTimeout(() => environment.cancel('WORKER_SHUTDOWN', { ...noDetails, workerShutdown: true }), 100),
    });
    await expect(downed).rejects.toBeInstanceOf(CancelledFailure);
  });
});

const noDetails = {
  cancelRequested: false,
  notFound: false,
  paused: false,
  timedOut: false,
  workerShutdown: false,
  reset: false,
};

describe('an empty response', () => {
  test('settles its bucket if an older bucket still has records', async () => {
    settling = await Settling.create(start, (bucket) => (bucket % 600 === 0 ? busy() : []));
    await settling.run(60);
    const gaps = await settling.gaps(start);
    expect(gaps).toEqual([]);
  });

  test('is a gap with its cause if no older bucket has records', async () => {
    settling = await Settling.create(start, (bucket) => (bucket >= start + 600 ? busy() : []));
    await settling.run(30);
    expect((await settling.coverage(0, start + 900))[0]).toMatchObject({
      fromSeconds: start + 600,
      state: 'settled',
    });
  });
});

describe('a bucket whose response', () => {
  const invalidBucket = start - 1_500;
  const answers: [string, number, RegExp, () => Buffer][] = [
    [
      'is too large',
      1,
      /too large/,
      () => {
        throw failure('response_too_large', 'The response is too large');
      },
    ],
    [
      'has the wrong times',
      3,
      /is invalid: it contains a record of/,
      () => encodeListAnswer([encodeFlow({ startSeconds: invalidBucket - 15 })]),
    ],
    [
      'is incomplete',
      3,
      /is invalid: its total is 9 records, but it contains 1/,
      () => encodeListAnswer([encodeFlow({ startSeconds: invalidBucket })], 9),
    ],
    ['is broken', 3, /./, () => Buffer.from([0x12, 0xff])],
  ];

  test.each(answers)(
    '%s does not delay the others, is reported, and is settled later',
    async (_why, times, message, answer) => {
      settling = await Settling.create(start, busy);
      const { goldmane } = settling;
      goldmane.onList = (bucket) => (bucket === invalidBucket ? answer() : undefined);
      const summary = await settling.window(5);
      expect(summary).toMatchObject({ bucketsWaiting: 0 });
      expect(summary.lastError).toMatch(message);
      expect(
        settling.reported.some(({ state, error }) => state === 'failing' && message.test(error ?? '')),
      ).toBe(true);
      expect(settling.reported.at(-1)).toMatchObject({ state: 'connected' });
      const [gap, ...others] = await settling.gaps();
      expect(others).toEqual([]);
      expect(gap).toMatchObject({ fromSeconds: invalidBucket, toSeconds: invalidBucket + 15 });
      expect(gap?.cause).toMatch(message);
      expect(goldmane.requested.filter((bucket) => bucket === invalidBucket)).toHaveLength(times);
      goldmane.onList = () => undefined;
      await settling.run(40);
      expect(await settling.gaps()).toEqual([]);
    },
  );
});

describe('while Goldmane is unreachable', () => {
  fullTest(
    'attempts fail with that cause, and lost time is a gap with that cause, which is reported to the supervisor',
    async () => {
      settling = await Settling.create(start, busy);
      await settling.run(20);
      settling.goldmane.onConnect = () => {
        throw failure('certificate_refused', 'The certificate is stale');
      };
      const failed: unknown = await settling.window(15).catch((error: unknown) => error);
      expect(failed).toMatchObject({
        type: 'goldmane_certificate_refused',
        message: 'The certificate is stale. Cure it.',
      });
      const from = settling.clock.now() / 1000;
      await settling.run(120);
      const [last] = settling.reported.slice(-1);
      expect(last).toMatchObject({ state: 'failing', error: 'The certificate is stale. Cure it.' });
      const reported = settling.reported.findLast(({ gaps }) => gaps !== undefined)?.gaps;
      expect(reported?.at(-1)?.cause).toBe('The certificate is stale. Cure it.');
      settling.goldmane.onConnect = () => undefined;
      await settling.run(80);
      const gaps = await settling.gaps();
      expect(gaps).toHaveLength(1);
      expect(gaps[0]?.cause).toBe('The certificate is stale. Cure it.');
      expect(Math.abs((gaps[0]?.fromSeconds ?? 0) - from)).toBeLessThan(700);
      expect((gaps[0]?.toSeconds ?? 0) - from).toBeLessThan(120 * 60 - 3_500 + 60);
    },
  );

  test('one signal reports it to the supervisor, not one per attempt', async () => {
    settling = await Settling.create(start, busy);
    settling.goldmane.onConnect = () => {
      throw failure('connection_refused', 'Connection refused');
    };
    await settling.window(15).catch(() => undefined);
    const before = settling.reported.length;
    for (let attempt = 2; attempt <= 6; attempt += 1)
      await settling.window(15, { attempt }).catch(() => undefined);
    expect(settling.reported.slice(before)).toEqual([]);
  });

  test('because of a timeout, each further call waits just as long, also in later attempts', async () => {
    settling = await Settling.create(start, busy);
    const times: number[] = [];
    settling.goldmane.onList = () => {
      times.push(settling.clock.now());
      throw failure('timeout', 'No answer within 90 s');
    };
    for (let attempt = 1; attempt <= 3; attempt += 1)
      await settling.window(15, { attempt }).catch(() => undefined);
    expect(times.length).toBeGreaterThan(6);
    for (const [index, time] of times.entries())
      if (index > 0) expect(time - (times[index - 1] ?? 0)).toBeGreaterThanOrEqual(90_000);
  });

  test('and List times out for half an hour, few calls are made, and no bucket is lost that it still has', async () => {
    settling = await Settling.create(start, busy);
    await settling.run(30);
    let calls = 0;
    settling.goldmane.onList = () => {
      calls += 1;
      settling.clock.pass(90);
      throw failure('timeout', 'No answer within 90 s');
    };
    const silentAtMs = settling.clock.now();
    while (settling.clock.now() < silentAtMs + 30 * 60_000) await settling.window(15).catch(() => undefined);
    const { reported } = settling;
    expect(reported.at(-1)).toMatchObject({ state: 'failing', error: expect.stringContaining('90 s') });
    const silentMinutes = (settling.clock.now() - silentAtMs) / 60_000;
    expect(calls).toBeLessThanOrEqual(silentMinutes / 3 + 1);
    settling.goldmane.onList = () => undefined;
    const [summary] = await settling.run(15);
    expect(summary?.bucketsWaiting).toBe(0);
    expect(await settling.gaps()).toEqual([]);
    expect(settling.reported.at(-1)).not.toHaveProperty('error');
  });

  fullTest(
    'and List times out for longer than the ring, the lost buckets are a gap with this cause',
    async () => {
      settling = await Settling.create(start, busy);
      await settling.run(30);
      settling.goldmane.onList = () => {
        settling.clock.pass(90);
        throw failure('timeout', 'No answer within 90 s');
      };
      const silentAtMs = settling.clock.now();
      while (settling.clock.now() < silentAtMs + 100 * 60_000)
        await settling.window(15).catch(() => undefined);
      settling.goldmane.onList = () => undefined;
      await settling.run(30);
      const gaps = await settling.gaps();
      expect(gaps.length).toBeGreaterThan(0);
      for (const gap of gaps) expect(gap).toMatchObject({ cause: expect.stringContaining('90 s') });
    },
  );
});

describe('a bucket that a killed process was listing', () => {
  const bucket = start - 1_500;

  /** Records the state of a process that was killed while it listed the bucket. */
  function recordKilledListing(heapLimitBytes = Number.MAX_SAFE_INTEGER): Promise<unknown> {
    return settling.db.database.query(
      'insert into bucket_listing (bucket, process, heap_limit_bytes) values (to_timestamp($1), gen_random_uuid(), $2)',
      [bucket, heapLimitBytes],
    );
  }

  const left = () => settling.db.database.query('select 1 from bucket_listing');

  test('is listed after all others, and is settled if that succeeds', async () => {
    settling = await Settling.create(start, busy);
    await recordKilledListing();
    await settling.window(5);
    const { requested } = settling.goldmane;
    expect(Math.max(...requested.slice(0, requested.indexOf(bucket)))).toBeGreaterThan(start - 400);
    expect(await settling.gaps()).toEqual([]);
    expect(await left()).toEqual([]);
  });

  test('is skipped with a cause after two kills, until a process with more memory starts', async () => {
    settling = await Settling.create(start, busy);
    await recordKilledListing();
    await recordKilledListing();
    const summary = await settling.window(5);
    expect(summary).toMatchObject({ bucketsWaiting: 0, lastError: skippedCause });
    expect(settling.goldmane.requested).not.toContain(bucket);
    expect(await settling.gaps()).toEqual([
      { fromSeconds: bucket, toSeconds: bucket + 15, state: 'gap', cause: skippedCause },
    ]);
    await settling.db.database.query('update bucket_listing set heap_limit_bytes = 1');
    await settling.run(40);
    expect(await settling.gaps()).toEqual([]);
  });
});
