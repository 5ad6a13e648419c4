import { Buffer } from 'node:buffer';
import { bucketSeconds } from '../time/bucket.ts';

const START_TIME_GTE = 0x08;
const START_TIME_LT = 0x10;

/** A FlowListRequest for exactly the bucket that starts at `startSeconds`. */
export function encodeListRequest(startSeconds: number): Buffer {
  if (!Number.isSafeInteger(startSeconds) || startSeconds <= 0 || startSeconds % bucketSeconds !== 0)
    throw new RangeError(`${startSeconds} is not the start of a bucket, so List would return other times`);
  return Buffer.from([
    START_TIME_GTE,
    ...varint(startSeconds),
    START_TIME_LT,
    ...varint(startSeconds + bucketSeconds),
  ]);
}

/**
 * A FlowListRequest from one second before the server's now (-1) to the first second of 1970. Goldmane rejects it
 * before it reads any bucket, and the error contains both bounds as absolute times, and thus its clock.
 */
export const LIST_NOTHING = Buffer.from([
  START_TIME_GTE,
  ...Array<number>(9).fill(0xff),
  0x01,
  START_TIME_LT,
  0x01,
]);

/**
 * @param details error details for LIST_NOTHING, in the wording of 3.30 to 3.32
 * @returns the server's clock in seconds, accurate to half a second; undefined if the error does not contain it
 */
export function clockInRefusal(details: string): number | undefined {
  const [, oneSecondAgo] = /\((\d{10,11})\) must be less than/.exec(details) ?? [];
  // The server's time is in whole seconds.
  return oneSecondAgo === undefined ? undefined : Number(oneSecondAgo) + 1.5;
}

/** A FlowStreamRequest with all fields zero: no history, no filter. */
export const STREAM_FROM_NOW = Buffer.alloc(0);

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  bytes.push(rest);
  return bytes;
}
