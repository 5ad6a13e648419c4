import type { Buffer } from 'node:buffer';
import { hash } from 'node:crypto';

/** The first eight bytes, big-endian and unsigned, of the SHA-256 of bytes or of a text in UTF-8. */
export function hash64(content: Buffer | string): bigint {
  // One call that returns a string takes a third of the time of a Hash object and a Buffer.
  return BigInt(`0x${hash('sha256', content, 'hex').slice(0, 16)}`);
}
