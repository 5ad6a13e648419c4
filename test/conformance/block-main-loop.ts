import type { StreamCall } from './reader.ts';
import { manyFlows, type Harness } from './harness.ts';
import { until } from './waiting.ts';

/** A blocked main loop of the server. */
export interface Block {
  /** Unblocks the main loop. */
  unblock(): void;
}

/**
 * Prepares a block of the server's main loop and returns the function that starts it. Any client can cause it, with a
 * stream that it does not read. 3.30: the stream requests the whole ring, which exceeds its queue, and the loop waits a
 * second for each record. 3.32: a late flow arrives in the bucket that is being sent, which is locked for a minute.
 */
export async function prepareBlock(harness: Harness): Promise<() => Promise<Block>> {
  const ns = harness.namespace();
  const startSeconds = harness.bucket(-150);
  const records = harness.server.version === '3.30' ? 7_000 : 3_000;
  await harness.feed(manyFlows(records, { startSeconds, srcNamespace: ns }));
  await until(
    'the records that block the loop',
    async () => (await harness.reader.bucket(startSeconds, ns)).length === records,
    30_000,
  );
  return async () => {
    const { bucketSeconds, version } = harness.server;
    const remainingFraction = 1 - ((harness.nowSeconds / bucketSeconds) % 1);
    if (version === '3.30' && remainingFraction < 0.3) await harness.nextBucket();
    const stopped: StreamCall = harness
      .newReader()
      .follow(version === '3.30' ? harness.bucket() : startSeconds);
    stopped.pause();
    if (version === '3.32') {
      // The late flow waits for the bucket only after the stream's own queue is full.
      await harness.waitUntil(harness.nowSeconds + bucketSeconds / 4);
      await harness.feed([{ startSeconds, srcNamespace: ns, srcName: 'late' }]);
    }
    await until('blocked main loop', async () => !(await listAnswers(harness)), 10_000);
    return { unblock: () => stopped.cancel() };
  };
}

export async function blockMainLoop(harness: Harness): Promise<Block> {
  const block = await prepareBlock(harness);
  return block();
}

/** Whether the main loop answers `List` within one second (real time). */
export async function listAnswers(harness: Harness): Promise<boolean> {
  try {
    await harness.reader.list(harness.bucket(-200), harness.bucket(-199), 1_000);
    return true;
  } catch {
    return false;
  }
}
