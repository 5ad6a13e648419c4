import { Buffer } from 'node:buffer';
import { contentOf, type FlowKey } from './flow-key.ts';
import { FlowKeyReader } from './flow-key-reader.ts';
import type { FlowScan } from './flow-scan.ts';
import { InternCache } from './intern-cache.ts';
import { NameCache } from './names.ts';
import { PolicyTraceReader, type PolicyTrace } from './policy-trace.ts';
import { startsWith } from './starts-with.ts';

/** A key of the server: identity and policies together. */
export interface KnownKey {
  readonly key: FlowKey;
  /** The whole encoded key. */
  readonly bytes: Buffer;
  /** Decoded by `traceOf`. */
  trace: PolicyTrace | undefined;
}

/** Long enough for a key with eight names of 253 bytes and some policies; longer keys are decoded each time. */
const MAX_INTERNED_BYTES = 4096;
/** Memory of a Buffer of its own and of a FlowKey in addition to their content. */
const BUFFER_BYTES = 300;
const KEY_BYTES = 120;
const NOTHING = Buffer.alloc(0);

/**
 * Turns the key that a scan found into a FlowKey, the same object for the same content while it is in use. Both caches
 * compare the whole content, so two different keys never share an object. The server's id of a key only serves as a
 * lookup hint: after a restart of the server, an id belongs to a different key, which is then decoded.
 */
export class KeyInterner {
  readonly names: NameCache;
  readonly #scan: FlowScan;
  readonly #byId: InternCache<number, KnownKey>;
  readonly #byContent: InternCache<string, FlowKey>;
  readonly #keyReader: FlowKeyReader;
  readonly #traces: PolicyTraceReader;

  /** @param limitBytes memory limit of all caches together */
  constructor(scan: FlowScan, limitBytes: number) {
    this.names = new NameCache(limitBytes * 0.1);
    this.#scan = scan;
    this.#byId = new InternCache(limitBytes * 0.4, (_, { bytes }) => bytes.length + BUFFER_BYTES);
    this.#byContent = new InternCache(limitBytes * 0.3, (content) => content.length + KEY_BYTES);
    this.#traces = new PolicyTraceReader(limitBytes * 0.2);
    this.#keyReader = new FlowKeyReader(this.names);
  }

  /** The key of the last scanned record. Throws MalformedFlow. */
  intern(): KnownKey {
    const { id, key: span } = this.#scan;
    const hint = this.#byId.get(id);
    const length = span.end - span.start;
    if (
      hint !== undefined &&
      hint.bytes.length === length &&
      startsWith(span.buf, span.start, span.end, hint.bytes)
    )
      return hint;
    this.#scan.scanKey();
    const key = this.#decode();
    if (length > MAX_INTERNED_BYTES) return { key, bytes: NOTHING, trace: undefined };
    // Not from the pool that Node shares with received messages: a kept key would retain 8 or 64 KiB of them.
    const bytes = Buffer.allocUnsafeSlow(length);
    span.buf.copy(bytes, 0, span.start, span.end);
    const known = { key, bytes, trace: undefined };
    this.#byId.set(id, known);
    return known;
  }

  /** The trace of `known`, the key of the last scanned record. */
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
    const content = contentOf(encoding);
    const seen = this.#byContent.get(content);
    if (seen) return seen;
    const key = this.#keyReader.build(content);
    this.#byContent.set(content, key);
    return key;
  }
}

/** A placeholder, used by the reused record until the first record is decoded. */
export const NO_KEY: KnownKey = {
  key: new FlowKeyReader(new NameCache(0)).build(''),
  bytes: NOTHING,
  trace: undefined,
};
