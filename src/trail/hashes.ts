import { endianness } from 'node:os';

const isLittleEndian = endianness() === 'LE';

/**
 * A set of record hashes as the ledger stores it: unsigned 64-bit, sorted, big-endian, 8 bytes each. Equal sets give equal bytes.
 */
export function packHashes(hashes: Iterable<bigint>): Buffer {
  const sorted = BigUint64Array.from(hashes).sort();
  return bigEndian(Buffer.from(sorted.buffer));
}

/** The inverse of `packHashes`. @throws RangeError when the length is not a multiple of 8 */
export function unpackHashes(packed: Buffer): Set<bigint> {
  if (packed.length % 8 !== 0)
    throw new RangeError(`a ledger row holds ${packed.length} bytes, not a multiple of 8`);
  const hashes = new BigUint64Array(packed.length / 8);
  const bytes = Buffer.from(hashes.buffer);
  bytes.set(packed);
  bigEndian(bytes);
  return new Set(hashes);
}

/** Converts between the machine's byte order and big-endian, in place. */
function bigEndian(numbers: Buffer): Buffer {
  return isLittleEndian ? numbers.swap64() : numbers;
}
