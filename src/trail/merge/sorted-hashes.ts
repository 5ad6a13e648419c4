import { endianness } from 'node:os';

const isLittleEndian = endianness() === 'LE';

/** The hashes of a ledger row, ascending. @throws RangeError when the length is not a multiple of 8 */
export function readSortedHashes(packed: Buffer): BigUint64Array<ArrayBuffer> {
  if (packed.length % 8 !== 0)
    throw new RangeError(`a ledger row has ${packed.length} bytes, not a multiple of 8`);
  const hashes = new BigUint64Array(packed.length / 8);
  const bytes = Buffer.from(hashes.buffer);
  bytes.set(packed);
  if (isLittleEndian) bytes.swap64();
  return hashes;
}

/** Hashes in the format of a ledger row: ascending, big-endian, 8 bytes each. */
export function packSorted(hashes: BigUint64Array<ArrayBuffer>): Buffer {
  const bytes = Buffer.from(hashes.toSorted().buffer);
  return isLittleEndian ? bytes.swap64() : bytes;
}

/** The hashes of `sorted` that are not in `other`; both are ascending. */
export function hashesMissingIn(sorted: BigUint64Array, other: BigUint64Array): BigUint64Array<ArrayBuffer> {
  const missing: bigint[] = [];
  let at = 0;
  for (const hash of sorted) {
    while (at < other.length && (other[at] ?? 0n) < hash) at += 1;
    if (other[at] !== hash) missing.push(hash);
  }
  return BigUint64Array.from(missing);
}
