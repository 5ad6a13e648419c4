import { packSorted, readSortedHashes } from './sorted-hashes.ts';

const smallestCapacity = 16;

/** Hashes of records in a significant order: unsigned 64-bit, 8 bytes each. */
export class HashList {
  readonly numbers: BigUint64Array<ArrayBuffer>;
  /** The two halves of each number, in the machine's order. Reading a number itself would allocate a BigInt. */
  readonly halves: Uint32Array<ArrayBuffer>;

  /** @param numbers a view of a whole buffer */
  constructor(numbers: BigUint64Array<ArrayBuffer>) {
    this.numbers = numbers;
    this.halves = new Uint32Array(numbers.buffer);
  }

  static ofLength(length: number): HashList {
    return new HashList(new BigUint64Array(length));
  }

  static from(hashes: Iterable<bigint>): HashList {
    return new HashList(BigUint64Array.from(hashes));
  }
}

/**
 * A set of record hashes: an open-addressing table with linear probing. A hash takes 11 to 21 bytes, in a `Set` of BigInts 42, and
 * an addition a quarter of the time (docs/benchmarks.md). Hashes are distributed evenly, so half of a hash serves as its slot number.
 */
export class HashSet implements Iterable<bigint> {
  /** Two halves per slot; both zero: the slot is free. */
  #slots = HashList.ofLength(smallestCapacity);
  /** Hashes in slots. */
  #count = 0;
  #hasZero = false;

  static of(...hashes: readonly bigint[]): HashSet {
    return HashSet.from(HashList.from(hashes));
  }

  static from(list: HashList): HashSet {
    const set = new HashSet();
    set.#reserve(list.numbers.length);
    for (let index = 0; index < list.numbers.length; index += 1) set.add(list, index);
    return set;
  }

  get size(): number {
    return this.#count + (this.#hasZero ? 1 : 0);
  }

  has({ halves }: HashList, index: number): boolean {
    const first = halves[2 * index] ?? 0;
    const second = halves[2 * index + 1] ?? 0;
    if ((first | second) === 0) return this.#hasZero;
    return this.#isTaken(this.#find(first, second));
  }

  add({ halves }: HashList, index: number): void {
    const first = halves[2 * index] ?? 0;
    const second = halves[2 * index + 1] ?? 0;
    if ((first | second) === 0) {
      this.#hasZero = true;
      return;
    }
    const at = this.#find(first, second);
    if (this.#isTaken(at)) return;
    this.#put(at, first, second);
    this.#count += 1;
    this.#reserve(this.#count);
  }

  /** @returns whether the hash was in the set */
  delete({ halves }: HashList, index: number): boolean {
    const first = halves[2 * index] ?? 0;
    const second = halves[2 * index + 1] ?? 0;
    if ((first | second) === 0) {
      const had = this.#hasZero;
      this.#hasZero = false;
      return had;
    }
    const at = this.#find(first, second);
    if (!this.#isTaken(at)) return false;
    this.#free(at);
    this.#count -= 1;
    return true;
  }

  /** The hashes as the ledger stores them: ascending as unsigned numbers, big-endian, 8 bytes each. Equal sets give equal bytes. */
  pack(): Buffer {
    const { halves } = this.#slots;
    // Slots never contain the hash zero; if it is in the set, the last number of the list stays zero.
    const list = HashList.ofLength(this.size);
    let index = 0;
    for (let at = 0; at < halves.length >>> 1; at += 1) {
      if (!this.#isTaken(at)) continue;
      list.halves[2 * index] = halves[2 * at] ?? 0;
      list.halves[2 * index + 1] = halves[2 * at + 1] ?? 0;
      index += 1;
    }
    return packSorted(list.numbers);
  }

  *[Symbol.iterator](): Generator<bigint, undefined> {
    if (this.#hasZero) yield 0n;
    for (const number of this.#slots.numbers) if (number !== 0n) yield number;
    return undefined;
  }

  /** Where the hash is, or the free slot where it belongs. */
  #find(first: number, second: number): number {
    const { halves } = this.#slots;
    const mask = (halves.length >>> 1) - 1;
    let at = first & mask;
    for (;;) {
      const there = halves[2 * at] ?? 0;
      const beside = halves[2 * at + 1] ?? 0;
      if ((there === first && beside === second) || (there | beside) === 0) return at;
      at = (at + 1) & mask;
    }
  }

  #isTaken(at: number): boolean {
    const { halves } = this.#slots;
    return ((halves[2 * at] ?? 0) | (halves[2 * at + 1] ?? 0)) !== 0;
  }

  #put(at: number, first: number, second: number): void {
    const { halves } = this.#slots;
    halves[2 * at] = first;
    halves[2 * at + 1] = second;
  }

  /** Frees a slot, and moves the hashes after it that would no longer be found. */
  #free(at: number): void {
    const { halves } = this.#slots;
    const mask = (halves.length >>> 1) - 1;
    let hole = at;
    for (let next = (hole + 1) & mask; this.#isTaken(next); next = (next + 1) & mask) {
      const first = halves[2 * next] ?? 0;
      const home = first & mask;
      if (((next - home) & mask) < ((next - hole) & mask)) continue;
      this.#put(hole, first, halves[2 * next + 1] ?? 0);
      hole = next;
    }
    this.#put(hole, 0, 0);
  }

  /** Makes room for this many hashes: at most three quarters of the slots are used. */
  #reserve(count: number): void {
    const capacity = this.#slots.numbers.length;
    if (count * 4 <= capacity * 3) return;
    const former = this.#slots;
    let larger = capacity * 2;
    while (count * 4 > larger * 3) larger *= 2;
    this.#slots = HashList.ofLength(larger);
    for (let index = 0; index < capacity; index += 1) {
      const first = former.halves[2 * index] ?? 0;
      const second = former.halves[2 * index + 1] ?? 0;
      if ((first | second) !== 0) this.#put(this.#find(first, second), first, second);
    }
  }
}

/** The inverse of `HashSet.pack`. @throws RangeError when the length is not a multiple of 8 */
export function unpackHashes(packed: Buffer): HashSet {
  return HashSet.from(new HashList(readSortedHashes(packed)));
}
