import { Buffer } from 'node:buffer';
import { bucketSeconds } from '../time/bucket.ts';

const START_TIME_GTE = 0x08;
const START_TIME_LT = 0x10;

/** A FlowListRequest for exactly the bucket that starts at `startSeconds`. */
export function encodeListRequest(startSeconds: number): Buffer {
  if (!Number.isSafeInteger(startSeconds) || startSeconds <= 0 || startSeconds % bucketSeconds !== 0)
    throw new RangeError(
      `${startSeconds} is not the start of a bucket: List would answer for different times`,
    );
  return Buffer.from([
    START_TIME_GTE,
    ...varint(startSeconds),
    START_TIME_LT,
    ...varint(startSeconds + bucketSeconds),
  ]);
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
