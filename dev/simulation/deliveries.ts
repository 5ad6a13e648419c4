import type { Clock } from '../../src/time/clock.ts';
import type { CompleteFlow } from '../goldmane/flow.ts';
import { arrivalMsOf } from './arrivals.ts';
import { BUCKET_SECONDS } from './cadence.ts';
import { flowsOf } from './flows.ts';
import { NODE_COUNT } from './workloads.ts';

const RING_SECONDS = 240 * BUCKET_SECONDS;
/** Every flow arrives within this time after its bucket began. */
const MAX_DELAY_MS = 6 * 60_000;

/** A node's flows of a bucket, and when they reach Goldmane (Unix milliseconds). */
export interface Delivery {
  bucketStartSeconds: number;
  node: number;
  arrivalMs: number;
}

/** The flows that reach Goldmane after `afterMs` and up to `untilMs`, in order of arrival. */
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
  /** Receives the flows. */
  ingest: (flows: readonly CompleteFlow[]) => void;
  signal: AbortSignal;
}

/**
 * Sends the flows of the past hour, so that a newly started Goldmane looks as if it had been running for an hour.
 * Returns the time (Unix milliseconds) up to which everything has been sent.
 */
export async function sendPastHour({ seed, clock, ingest, signal }: NodesOptions): Promise<number> {
  const untilMs = clock.now();
  let bucket = 0;
  for (const delivery of deliveriesBetween(seed, untilMs - RING_SECONDS * 1000, untilMs)) {
    ingest(flowsOf(seed, delivery.bucketStartSeconds, delivery.node));
    // Yields the thread now and then, because a server is already listening.
    if (delivery.bucketStartSeconds !== bucket) await new Promise((resolve) => setImmediate(resolve));
    bucket = delivery.bucketStartSeconds;
    signal.throwIfAborted();
  }
  return untilMs;
}

/** Continues sending from `sentUntilMs`, each node at its own times, and resolves when the signal aborts. */
export async function runNodes(options: NodesOptions & { sentUntilMs: number }): Promise<void> {
  const { seed, clock, ingest, signal } = options;
  let sentMs = options.sentUntilMs;
  while (!signal.aborted) {
    const nowMs = clock.now();
    // After a pause (a laptop was asleep), only flows that still fit in the ring are sent.
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
