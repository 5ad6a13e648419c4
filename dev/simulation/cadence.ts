import { chance, mix } from './random.ts';

export const BUCKET_SECONDS = 15;

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const WEEK = 7 * DAY;

/** When a connection is used. */
export type Cadence =
  /** In this fraction of the buckets. */
  | { kind: 'often'; share: number }
  /** At this interval in seconds, each route with its own phase. */
  | { kind: 'every'; seconds: number }
  /** For a minute and a half, once per period. */
  | { kind: 'job'; period: 'hour' | 'day' | 'week' };

export function often(share: number): Cadence {
  return { kind: 'often', share };
}

export function every(seconds: number): Cadence {
  return { kind: 'every', seconds };
}

export function job(period: 'hour' | 'day' | 'week'): Cadence {
  return { kind: 'job', period };
}

/** Whether the route is used in the bucket. Pure. */
export function isActive(cadence: Cadence, seed: number, route: number, bucketStartSeconds: number): boolean {
  switch (cadence.kind) {
    case 'often':
      return chance(seed, route, bucketStartSeconds) < cadence.share;
    case 'every':
      return isPhase(cadence.seconds, BUCKET_SECONDS, seed, route, bucketStartSeconds);
    case 'job':
      return isPhase(periodSeconds(cadence.period), 90, seed, route, bucketStartSeconds);
  }
}

function isPhase(period: number, length: number, seed: number, route: number, bucketStart: number): boolean {
  const phase = (mix(seed, route) % Math.floor(period / BUCKET_SECONDS)) * BUCKET_SECONDS;
  return (bucketStart + period - phase) % period < length;
}

function periodSeconds(period: 'hour' | 'day' | 'week'): number {
  switch (period) {
    case 'hour':
      return HOUR;
    case 'day':
      return DAY;
    case 'week':
      return WEEK;
  }
}
