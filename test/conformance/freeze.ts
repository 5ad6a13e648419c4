import type { Following } from './reader.ts';
import { manyFlows, type Scene } from './scene.ts';
import { until } from './waiting.ts';

/** The server's main loop, brought to a standstill. */
export interface Freeze {
  /** Lets it go on. */
  thaw(): void;
}

/**
 * Makes ready to stop the main loop, and returns what stops it, by means that any neighbour has: a reader that does
 * not read. 3.30: it asks for the whole ring, for which its queue is not made, and the loop waits a second for each
 * record. 3.32: a late flow arrives in the bucket that it is being sent, which then cannot be changed for a minute.
 */
export async function prepareFreeze(scene: Scene): Promise<() => Promise<Freeze>> {
  const ns = scene.namespace();
  const startSeconds = scene.bucket(-150);
  const records = scene.server.version === '3.30' ? 7_000 : 3_000;
  await scene.feed(manyFlows(records, { startSeconds, srcNamespace: ns }));
  await until(
    'the records to freeze with',
    async () => (await scene.reader.bucket(startSeconds, ns)).length === records,
    30_000,
  );
  return async () => {
    const { bucketSeconds, version } = scene.server;
    const left = 1 - ((scene.nowSeconds / bucketSeconds) % 1);
    if (version === '3.30' && left < 0.3) await scene.nextBucket();
    const stopped: Following = scene.newReader().follow(version === '3.30' ? scene.bucket() : startSeconds);
    stopped.pause();
    if (version === '3.32') {
      // The stream's own queue fills first; only then does the flow have to wait for the bucket.
      await scene.at(scene.nowSeconds + bucketSeconds / 4);
      await scene.feed([{ startSeconds, srcNamespace: ns, srcName: 'late' }]);
    }
    await until('the main loop to stand still', async () => !(await answers(scene)), 10_000);
    return { thaw: () => stopped.cancel() };
  };
}

export async function freeze(scene: Scene): Promise<Freeze> {
  const stop = await prepareFreeze(scene);
  return stop();
}

/** Whether the main loop answers within a second (real). */
export async function answers(scene: Scene): Promise<boolean> {
  try {
    await scene.reader.list(scene.bucket(-200), scene.bucket(-199), 1_000);
    return true;
  } catch {
    return false;
  }
}
