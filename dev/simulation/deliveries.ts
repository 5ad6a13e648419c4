import type { Clock } from '../../src/time/clock.ts';
import type { CompleteFlow } from '../goldmane/flow.ts';
import { arrivalMsOf } from './arrivals.ts';
import { BUCKET_SECONDS } from './cadence.ts';
import { flowsOf } from './flows.ts';
import { NODE_COUNT } from './workloads.ts';

const RING_SECONDS = 240 * BUCKET_SECONDS;
/** No flow arrives later than this after its bucket began. */
const MAX_DELAY_MS = 6 * 60_000;

/** A node's flows for a bucket, and when they reach Goldmane (Unix milliseconds). */
export interface Delivery {
  bucketStartSeconds: number;
  node: number;
  arrivalMs: number;
}

/** What reaches Goldmane after `afterMs` and until `untilMs`, in the order of arrival. */
export function deliveriesBetween(seed: number, afterMs: number, untilMs: number): Delivery[] {
  const deliveries: Delivery[] = [];
  const first = Math.floor((afterMs - MAX_DELAY_MS) / 1000 / BUCKET_SECONDS) * BUCKET_SECONDS;
  for (let bucket = first; bucket * 1000 < untilMs; bucket += BUCKET_SECONDS) {
    for (let node = 0; node < NODE_COUNT; node++) {
      const arrivalMs = arrivalMsOf(seed, bucket, node);
      if (arrivalMs <= afterMs || arrivalMs > untilMs) continue;
      deliveries.push({ bucketStartSeconds: bucket, node, arrivalMs });
    }
  }
  return deliveries.toSorted((a, b) => a.arrivalMs - b.arrivalMs);
}

export interface NodesOptions {
  seed: number;
  clock: Clock;
  /** Where the flows go. */
  ingest: (flows: readonly CompleteFlow[]) => void;
  signal: AbortSignal;
}

/**
 * Sends what the cluster's nodes sent in the hour before now, so that a Goldmane that has just started looks as if
 * it had been there all the time. Returns until when (Unix milliseconds) all has been sent.
 */
export async function sendPastHour({ seed, clock, ingest, signal }: NodesOptions): Promise<number> {
  const untilMs = clock.now();
  let bucket = 0;
  for (const delivery of deliveriesBetween(seed, untilMs - RING_SECONDS * 1000, untilMs)) {
    ingest(flowsOf(seed, delivery.bucketStartSeconds, delivery.node));
    // Now and then someone else may want the thread: a server is listening already.
    if (delivery.bucketStartSeconds !== bucket) await new Promise((resolve) => setImmediate(resolve));
    bucket = delivery.bucketStartSeconds;
    signal.throwIfAborted();
  }
  return untilMs;
}

/** Goes on sending from `sentUntilMs`, each node in its own time, until the signal aborts (then it resolves). */
export async function runNodes(options: NodesOptions & { sentUntilMs: number }): Promise<void> {
  const { seed, clock, ingest, signal } = options;
  let sentMs = options.sentUntilMs;
  while (!signal.aborted) {
    const nowMs = clock.now();
    // After a pause (a laptop that slept) only what the ring can still hold is worth sending.
    const afterMs = Math.max(sentMs, nowMs - RING_SECONDS * 1000);
    for (const { bucketStartSeconds, node } of deliveriesBetween(seed, afterMs, nowMs)) {
      ingest(flowsOf(seed, bucketStartSeconds, node));
    }
    sentMs = Math.max(sentMs, nowMs);
    const next = deliveriesBetween(seed, sentMs, sentMs + 2 * BUCKET_SECONDS * 1000)[0];
    const waitMs = next ? next.arrivalMs - clock.now() : BUCKET_SECONDS * 1000;
    await clock.sleep(Math.max(1, waitMs), signal).catch(() => undefined);
  }
}
