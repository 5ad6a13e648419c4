import { bucketSeconds } from '../trail/plan.ts';
import type { Attempt } from './attempt.ts';
import type { Deps } from './deps.ts';

const streamShowsItMs = 50_000;
const probedSeconds = 10 * 60;

/**
 * Makes sure that Goldmane's clock is known before a bucket's age is judged by it: from the stream of this process, which is
 * waited for; and where it shows nothing, by asking for the newest bucket that holds anything. Without any flow to see, the
 * clocks are taken to agree. What another worker measured is of no use: it was the difference to that machine's clock.
 * @param isNonEmpty lists one bucket
 */
export async function learnServerClock(
  { serverClock, config, log }: Deps,
  attempt: Attempt,
  isNonEmpty: (startSeconds: number) => Promise<boolean>,
): Promise<void> {
  if (serverClock.isKnown) return;
  const untilMs = config.clock.now() + streamShowsItMs;
  while (!serverClock.isKnown && config.clock.now() < untilMs && !attempt.signal.aborted)
    await attempt.idle(1_000);
  if (serverClock.isKnown || attempt.signal.aborted) return;
  const nowSeconds = config.clock.now() / 1000;
  const newest = Math.floor((nowSeconds + probedSeconds) / bucketSeconds) * bucketSeconds;
  for (let start = newest; start > nowSeconds - probedSeconds; start -= bucketSeconds)
    if (await isNonEmpty(start)) {
      // Nodes flush every 15 s: what is newest belongs to the bucket that fills, or to the one before.
      const skewMs = (start + bucketSeconds) * 1000 - config.clock.now();
      const isMeaningful = Math.abs(skewMs) > 2 * bucketSeconds * 1000;
      log.info({ skewMs }, "no stream shows Goldmane's clock; it was found by asking for its newest bucket");
      return serverClock.assume(isMeaningful ? skewMs : 0);
    }
  serverClock.assume(0);
}
