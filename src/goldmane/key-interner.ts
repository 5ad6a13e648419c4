import { Buffer } from 'node:buffer';
import { FlowKeyReader, type FlowKey } from './flow-key.ts';
import type { FlowScan } from './flow-scan.ts';
import { hash64 } from './hash64.ts';
import { InternCache } from './intern-cache.ts';
import { NameCache } from './names.ts';
import { PolicyTraceReader, type PolicyTrace } from './policy-trace.ts';

/** A key of the server's: identity and policies together. */
export interface KnownKey {
  readonly key: FlowKey;
  /** The whole encoded key. */
  readonly bytes: Buffer;
  /** Once somebody asked for it. */
  trace: PolicyTrace | undefined;
}

/** A key with eight names of the greatest length and some policies is below this; what is longer is not kept. */
const MAX_INTERNED_BYTES = 4096;
const MAX_INTERNED_TRACES = 4096;
const NOTHING = Buffer.alloc(0);

/**
 * Turns the key that a scan found into a FlowKey, the same object for the same content while it is in use. The
 * server's id of a key is taken as a hint where to look, and the bytes are compared: an id that now means
 * something else (a new run of the server) costs time, never truth.
 */
export class KeyInterner {
  readonly names: NameCache;
  readonly #scan: FlowScan;
  readonly #byId: InternCache<number, KnownKey>;
  readonly #byHash: InternCache<bigint, FlowKey>;
  readonly #keyReader: FlowKeyReader;
  readonly #traces = new PolicyTraceReader(MAX_INTERNED_TRACES);

  constructor(scan: FlowScan, limit: number) {
    this.names = new NameCache(limit);
    this.#scan = scan;
    this.#byId = new InternCache(limit);
    this.#byHash = new InternCache(limit);
    this.#keyReader = new FlowKeyReader(this.names);
  }

  /** The key of the record that was scanned last. Throws MalformedFlow. */
  intern(): KnownKey {
    const { id, key: span } = this.#scan;
    const hint = this.#byId.get(id);
    const length = span.end - span.start;
    if (
      hint !== undefined &&
      hint.bytes.length === length &&
      span.buf.compare(hint.bytes, 0, length, span.start, span.end) === 0
    )
      return hint;
    this.#scan.scanKey();
    const key = this.#decode();
    if (length > MAX_INTERNED_BYTES) return { key, bytes: NOTHING, trace: undefined };
    const bytes = Buffer.allocUnsafe(length);
    span.buf.copy(bytes, 0, span.start, span.end);
    const known = { key, bytes, trace: undefined };
    this.#byId.set(id, known);
    return known;
  }

  /** The trace of `known`, the key of the record that was scanned last. */
  traceOf(known: KnownKey): PolicyTrace {
    if (known.trace) return known.trace;
    this.#scan.scanKey();
    const { policies } = this.#scan;
    return (known.trace = this.#traces.read(policies.buf, policies.start, policies.end));
  }

  #decode(): FlowKey {
    const { key: span, identityEnd, reader } = this.#scan;
    const end = identityEnd < 0 ? span.end : identityEnd;
    reader.reset(span.buf, span.start, end);
    const isCanonical = this.#keyReader.read(reader);
    const encoding = isCanonical ? span.buf.subarray(span.start, end) : this.#keyReader.canonicalBytes();
    const hash = hash64(encoding);
    const seen = this.#byHash.get(hash);
    if (seen) return seen;
    const key = this.#keyReader.build(hash);
    // A long name is rare, and 65,536 of them would be too much to keep.
    if (encoding.length <= MAX_INTERNED_BYTES) this.#byHash.set(hash, key);
    return key;
  }
}

/** The key of no record: what a reused record holds before the first. */
export const NO_KEY: KnownKey = {
  key: new FlowKeyReader(new NameCache(0)).build(0n),
  bytes: NOTHING,
  trace: undefined,
};
