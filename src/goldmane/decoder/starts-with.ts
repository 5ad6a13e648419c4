import type { Buffer } from 'node:buffer';

/**
 * Whether the bytes at [start, end) start with `prefix`. For the few hundred bytes of a key, a loop takes less time than
 * `Buffer.compare`, which checks five arguments and calls native code.
 */
export function startsWith(buf: Buffer, start: number, end: number, prefix: Buffer): boolean {
  if (end - start < prefix.length) return false;
  for (let at = 0; at < prefix.length; at++) if (buf[start + at] !== prefix[at]) return false;
  return true;
}
