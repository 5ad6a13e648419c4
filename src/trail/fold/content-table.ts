import { Buffer } from 'node:buffer';
import { randomInt } from 'node:crypto';

const chunkBytes = 1 << 20;
const free = -1;

/**
 * A set of contents (one character per byte, at most 64 KiB each) with a number for each, outside the JavaScript heap.
 * A bucket can hold hundreds of thousands; as strings in a Map they would take twice the memory, and the garbage
 * collector would copy them.
 */
export class ContentTable {
  readonly #chunks: Buffer[] = [];
  /** Position of the content: chunk number * chunkBytes + offset in the chunk. */
  readonly #at: Float64Array;
  readonly #length: Uint16Array;
  readonly #hash: Int32Array;
  /** Open addressing: content numbers, or `free`. At most half full. */
  readonly #slots: Int32Array;
  readonly #mask: number;
  // Random, so that names that collide in the table cannot be chosen in advance.
  readonly #seed = randomInt(2 ** 32);
  readonly #factor = randomInt(2 ** 31) * 2 + 1;
  #used = chunkBytes;
  #size = 0;

  /** @param capacity the maximum number of different contents */
  constructor(capacity: number) {
    const slots = 2 ** Math.ceil(Math.log2(Math.max(4, capacity * 2)));
    this.#at = new Float64Array(capacity);
    this.#length = new Uint16Array(capacity);
    this.#hash = new Int32Array(capacity);
    this.#slots = new Int32Array(slots).fill(free);
    this.#mask = slots - 1;
  }

  get size(): number {
    return this.#size;
  }

  /** @returns the content's number; for new content, the former `size` */
  add(content: string): number {
    const hash = this.#hashOf(content);
    let slot = hash & this.#mask;
    for (let number; (number = this.#slots[slot] ?? free) !== free; slot = (slot + 1) & this.#mask)
      if (this.#hash[number] === hash && this.get(number) === content) return number;
    const number = this.#size;
    if (number === this.#at.length) throw new RangeError(`more than ${number} contents`);
    this.#slots[slot] = number;
    this.#hash[number] = hash;
    this.#store(number, content);
    this.#size += 1;
    return number;
  }

  get(number: number): string {
    const at = this.#at[number] ?? 0;
    const start = at % chunkBytes;
    const chunk = this.#chunks[(at - start) / chunkBytes];
    return chunk?.toString('latin1', start, start + (this.#length[number] ?? 0)) ?? '';
  }

  #store(number: number, content: string): void {
    if (this.#used + content.length > chunkBytes) {
      this.#chunks.push(Buffer.allocUnsafeSlow(chunkBytes));
      this.#used = 0;
    }
    this.#chunks.at(-1)?.write(content, this.#used, 'latin1');
    this.#at[number] = (this.#chunks.length - 1) * chunkBytes + this.#used;
    this.#length[number] = content.length;
    this.#used += content.length;
  }

  #hashOf(content: string): number {
    let hash = this.#seed;
    for (let at = 0; at < content.length; at++) {
      hash = Math.imul(hash ^ content.charCodeAt(at), this.#factor);
      hash ^= hash >>> 15;
    }
    return hash | 0;
  }
}
