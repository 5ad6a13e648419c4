import { BUCKET_SECONDS } from './cadence.ts';
import { chance } from './random.ts';
import { NODE_COUNT } from './workloads.ts';

const BUCKET_MS = BUCKET_SECONDS * 1000;
/**
 * Offset of each node's flush, which happens every 15 s. The fifth node flushes just before Goldmane sends the bucket.
 */
const FLUSH_PHASE_MS = [1_200, 4_900, 7_600, 10_100, 14_200, 12_300] as const;
/** https://github.com/projectcalico/calico, felix/collector: a flush is late by up to a tenth of its period. */
const JITTER_MS = 1_500;

/** The last node loses its connection for three and a half of every twenty minutes and sends everything afterwards. */
export const LATE_NODE = NODE_COUNT - 1;
const LATE_PERIOD_MS = 20 * 60_000;
const LATE_FROM_MS = 5 * 60_000;
const LATE_FOR_MS = 3.5 * 60_000;

/**
 * When a node's flows of a bucket reach Goldmane, in Unix milliseconds. Goldmane sends a bucket 15 s after it ended;
 * later flows are in `List`, but never in the stream. Pure.
 */
export function arrivalMsOf(seed: number, bucketStartSeconds: number, node: number): number {
  const endMs = bucketStartSeconds * 1000 + BUCKET_MS;
  const phaseMs = FLUSH_PHASE_MS[node % FLUSH_PHASE_MS.length] ?? 0;
  const flushMs = endMs + phaseMs + JITTER_MS * chance(seed, bucketStartSeconds, node, 51);
  if (node !== LATE_NODE) return flushMs;
  const intoPeriodMs = flushMs % LATE_PERIOD_MS;
  const away = intoPeriodMs >= LATE_FROM_MS && intoPeriodMs < LATE_FROM_MS + LATE_FOR_MS;
  if (!away) return flushMs;
  // Flows arrive in order, a few milliseconds apart.
  const backMs = flushMs - intoPeriodMs + LATE_FROM_MS + LATE_FOR_MS;
  return backMs + Math.floor((intoPeriodMs - LATE_FROM_MS) / BUCKET_MS) * 20;
}
