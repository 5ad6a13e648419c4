import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { versions } from './environment.ts';
import { withServer, Harness } from './harness.ts';
import { until } from './waiting.ts';

// The test waits for a whole ring: four minutes on a real server with buckets of one second.
const LIMIT_MS = 400_000;

describe.concurrent.each(versions)('The ring of Goldmane %s', (version) => {
  let harness: Harness;
  let slackSeconds: number;
  beforeAll(async () => {
    harness = await Harness.open({ version, bucketSeconds: 1, speed: 150 });
    slackSeconds = 700 / harness.server.clock.realMs(1000);
  });
  afterAll(() => harness?.close());

  it(
    'drops a bucket 241 buckets after its start, and the id of a key that was idle since then',
    { timeout: LIMIT_MS },
    async () => {
      const [idle, steady] = [harness.namespace(), harness.namespace()];
      const { bucketSeconds } = harness.server;
      const startSeconds = await harness.nextBucket();
      const droppedAtSeconds = startSeconds + 241 * bucketSeconds;
      const [before] = await harness.feedAndList(idle, [{ startSeconds }]);
      const [steadyBefore] = await harness.feedAndList(steady, [{ startSeconds }]);
      await harness.waitUntil(startSeconds + 120 * bucketSeconds);
      await harness.feedAndList(steady, [{ startSeconds: harness.bucket() }]);

      await harness.waitUntil(droppedAtSeconds - bucketSeconds - slackSeconds);
      expect(await harness.reader.bucket(startSeconds, idle)).toEqual([before]);
      let lastSeenSeconds = 0;
      await until(
        'removal of the bucket',
        async () => {
          const requestedSeconds = harness.nowSeconds;
          const present = (await harness.reader.bucket(startSeconds, idle)).length > 0;
          if (present) lastSeenSeconds = requestedSeconds;
          return !present;
        },
        harness.server.clock.realMs(1000) * (2 * bucketSeconds + 3 * slackSeconds),
      );
      expect(harness.nowSeconds).toBeGreaterThanOrEqual(droppedAtSeconds);
      expect(lastSeenSeconds).toBeLessThan(droppedAtSeconds + slackSeconds);

      const again = await harness.nextBucket();
      const [after] = await harness.feedAndList(idle, [{ startSeconds: again }]);
      const [steadyAfter] = await harness.feedAndList(steady, [{ startSeconds: again }]);
      expect(after?.id).toBeGreaterThan(before?.id ?? 0);
      expect(steadyAfter?.id).toBe(steadyBefore?.id);
    },
  );
});

describe.concurrent.each(versions)('Rollover in Goldmane %s', (version) => {
  it('sends one bucket per bucket length, in order, none skipped and none early', () =>
    withServer({ version }, async (harness) => {
      const ns = harness.namespace();
      const { bucketSeconds, clock } = harness.server;
      const slackSeconds = 700 / clock.realMs(1000);
      const stream = harness.reader.follow();
      const first = await harness.nextBucket();
      for (let bucket = 0; bucket < 12; bucket++) {
        await harness.waitUntil(first + bucket * bucketSeconds);
        await harness.feed([{ startSeconds: first + bucket * bucketSeconds, srcNamespace: ns }]);
      }
      // On a busy machine a few flows may be late.
      await stream.waitFor(ns, 9);
      const starts = stream.of(ns).map(({ flow }) => flow.startTime);
      expect(starts).toEqual(starts.toSorted((a, b) => a - b));
      for (const [index, { flow }] of stream.records.entries()) {
        const lagSeconds = (stream.arrivals[index] ?? 0) / 1000 - flow.endTime;
        expect(lagSeconds).toBeGreaterThanOrEqual(bucketSeconds);
        expect(lagSeconds).toBeLessThan(bucketSeconds + slackSeconds);
      }
    }));
});
