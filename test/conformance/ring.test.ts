import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { versions } from './environment.ts';
import { inScene, Scene } from './scene.ts';
import { until } from './waiting.ts';

// A whole ring has to go by: four minutes of a real server's, if its buckets are of one second.
const LIMIT_MS = 400_000;

describe.concurrent.each(versions)('The ring of %s', (version) => {
  let scene: Scene;
  let slackSeconds: number;
  beforeAll(async () => {
    scene = await Scene.open({ version, bucketSeconds: 1, speed: 150 });
    slackSeconds = 700 / scene.server.clock.realMs(1000);
  });
  afterAll(() => scene?.close());

  it(
    'lets a bucket go 241 buckets after its start, and with it the id of a key that was idle since',
    { timeout: LIMIT_MS },
    async () => {
      const [idle, steady] = [scene.namespace(), scene.namespace()];
      const { bucketSeconds } = scene.server;
      const startSeconds = await scene.nextBucket();
      const goneSeconds = startSeconds + 241 * bucketSeconds;
      const [before] = await scene.feedAndSee(idle, [{ startSeconds }]);
      const [steadyBefore] = await scene.feedAndSee(steady, [{ startSeconds }]);
      await scene.at(startSeconds + 120 * bucketSeconds);
      await scene.feedAndSee(steady, [{ startSeconds: scene.bucket() }]);

      await scene.at(goneSeconds - bucketSeconds - slackSeconds);
      expect(await scene.reader.bucket(startSeconds, idle)).toEqual([before]);
      let seenSeconds = 0;
      await until(
        'the bucket to vanish',
        async () => {
          const askedSeconds = scene.nowSeconds;
          const there = (await scene.reader.bucket(startSeconds, idle)).length > 0;
          if (there) seenSeconds = askedSeconds;
          return !there;
        },
        scene.server.clock.realMs(1000) * (2 * bucketSeconds + 3 * slackSeconds),
      );
      expect(scene.nowSeconds).toBeGreaterThanOrEqual(goneSeconds);
      expect(seenSeconds).toBeLessThan(goneSeconds + slackSeconds);

      const again = await scene.nextBucket();
      const [after] = await scene.feedAndSee(idle, [{ startSeconds: again }]);
      const [steadyAfter] = await scene.feedAndSee(steady, [{ startSeconds: again }]);
      expect(after?.id).toBeGreaterThan(before?.id ?? 0);
      expect(steadyAfter?.id).toBe(steadyBefore?.id);
    },
  );
});

describe.concurrent.each(versions)('The buckets of %s', (version) => {
  it('goes on evenly: a bucket each bucket, none left out, none early', () =>
    inScene({ version }, async (scene) => {
      const ns = scene.namespace();
      const { bucketSeconds, clock } = scene.server;
      const slackSeconds = 700 / clock.realMs(1000);
      const stream = scene.reader.follow();
      const first = await scene.nextBucket();
      for (let bucket = 0; bucket < 12; bucket++) {
        await scene.at(first + bucket * bucketSeconds);
        await scene.feed([{ startSeconds: first + bucket * bucketSeconds, srcNamespace: ns }]);
      }
      // On a busy machine one or the other flow may be late.
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
