/** Memory per entry in addition to its content, for the map and the object; an estimate, rounded up. */
const entryBytes = 100;

/**
 * A map with a limit in bytes, in two generations: entries in use stay, and entries not used for a whole generation are
 * dropped. Together they never exceed the limit, and no operation costs more than two lookups.
 */
export class InternCache<Key, Value> {
  readonly #generationBytes: number;
  readonly #bytesOf: (key: Key, value: Value) => number;
  #young = new Map<Key, Value>();
  #youngBytes = 0;
  #old = new Map<Key, Value>();

  /** @param bytesOf the approximate memory of key and value */
  constructor(limitBytes: number, bytesOf: (key: Key, value: Value) => number) {
    this.#generationBytes = Math.floor(limitBytes / 2);
    this.#bytesOf = bytesOf;
  }

  get size(): number {
    return this.#young.size + this.#old.size;
  }

  get(key: Key): Value | undefined {
    const young = this.#young.get(key);
    if (young !== undefined) return young;
    const old = this.#old.get(key);
    if (old === undefined) return undefined;
    this.#old.delete(key);
    this.set(key, old);
    return old;
  }

  /** An entry larger than half of the limit is not kept. */
  set(key: Key, value: Value): void {
    const replaced = this.#young.get(key);
    if (replaced !== undefined) this.#youngBytes -= this.#entryBytes(key, replaced);
    const bytes = this.#entryBytes(key, value);
    if (this.#youngBytes + bytes > this.#generationBytes) {
      if (replaced !== undefined) this.#young.delete(key);
      if (bytes > this.#generationBytes) return;
      this.#old = this.#young;
      this.#young = new Map();
      this.#youngBytes = 0;
    }
    this.#young.set(key, value);
    this.#youngBytes += bytes;
  }

  #entryBytes(key: Key, value: Value): number {
    return entryBytes + this.#bytesOf(key, value);
  }
}
