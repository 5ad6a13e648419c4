import type { Buffer } from 'node:buffer';
import { hash } from 'node:crypto';

/** The first eight bytes, big-endian and unsigned, of the SHA-256 of bytes, or of a text's UTF-8. */
export function hash64(content: Buffer | string): bigint {
  // One call and a string instead of a Hash object and a Buffer: a third of the time.
  return BigInt(`0x${hash('sha256', content, 'hex').slice(0, 16)}`);
}
