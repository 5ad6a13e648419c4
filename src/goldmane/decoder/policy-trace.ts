import { Buffer } from 'node:buffer';
import { hash } from 'node:crypto';
import { InternCache } from './intern-cache.ts';
import { MalformedFlow } from './malformed-flow.ts';
import { readPolicyHit } from './policy-hit.ts';
import { WireReader } from './wire-reader.ts';

/** The maximum number of hits stored on each side of a trace. */
const MAX_HITS = 16;
/** The maximum UTF-8 bytes of a trace's text. */
export const MAX_TRACE_BYTES = 4096;
/** Longer encodings are not cached. */
const MAX_KEPT_BYTES = 16_384;
const ENFORCED = 1;
const PENDING = 2;

/**
 * Which policies decided, in a canonical form: traces with the same set of hits have the same text, in whatever
 * order calico-node listed them.
 */
export interface PolicyTrace {
  /** Unsigned 64 bits, never 0: the first eight bytes, big-endian, of the SHA-256 of `text`. */
  readonly digest: bigint;
  /**
   * JSON without spaces, `{"enforced":[hit,...],"pending":[hit,...]}`; a hit is a PolicyHit, each once, sorted by
   * its own JSON. `enforced` is what the dataplane did; `pending` is what it would have done if staged policies were
   * enforced. Followed by `"cut":n` if n hits were omitted to respect MAX_HITS and MAX_TRACE_BYTES, or by
   * `"unreadable":true` if the trace could not be decoded.
   */
  readonly text: string;
}

const NO_POLICIES = policyTrace('{"enforced":[],"pending":[]}');
const UNREADABLE = policyTrace('{"enforced":[],"pending":[],"unreadable":true}');

/** Turns encoded PolicyTrace messages into canonical ones; the same object for the same bytes while in use. */
export class PolicyTraceReader {
  readonly #seen: InternCache<string, PolicyTrace>;
  readonly #reader = new WireReader();

  /** @param limitBytes memory limit of the cached traces */
  constructor(limitBytes: number) {
    this.#seen = new InternCache(limitBytes, (bytes, { text }) => bytes.length + text.length);
  }

  /**
   * The trace encoded at [start, end); empty if there are no bytes. Never throws: a record with a broken trace still
   * counts for its edge and fact.
   */
  read(buf: Buffer, start: number, end: number): PolicyTrace {
    if (start === end) return NO_POLICIES;
    if (end - start > MAX_KEPT_BYTES) return this.#decode(buf, start, end);
    const bytes = buf.toString('latin1', start, end);
    const seen = this.#seen.get(bytes);
    if (seen) return seen;
    const decoded = this.#decode(buf, start, end);
    this.#seen.set(bytes, decoded);
    return decoded;
  }

  #decode(buf: Buffer, start: number, end: number): PolicyTrace {
    try {
      this.#reader.reset(buf, start, end);
      return policyTrace(readSides(this.#reader));
    } catch (error) {
      if (error instanceof MalformedFlow) return UNREADABLE;
      throw error;
    }
  }
}

function readSides(reader: WireReader): string {
  const enforced = new Set<string>();
  const pending = new Set<string>();
  while (reader.pos < reader.end) {
    const tag = reader.tag();
    const field = tag >>> 3;
    if (field === ENFORCED || field === PENDING)
      (field === ENFORCED ? enforced : pending).add(JSON.stringify(readPolicyHit(reader, tag)));
    else reader.skip(tag);
  }
  return boundedText([...enforced].toSorted(), [...pending].toSorted());
}

function boundedText(allEnforced: string[], allPending: string[]): string {
  const enforced = allEnforced.slice(0, MAX_HITS);
  const pending = allPending.slice(0, MAX_HITS);
  const total = allEnforced.length + allPending.length;
  for (;;) {
    const left = total - enforced.length - pending.length;
    const cut = left > 0 ? `,"cut":${left}` : '';
    const text = `{"enforced":[${enforced.join(',')}],"pending":[${pending.join(',')}]${cut}}`;
    if (Buffer.byteLength(text) <= MAX_TRACE_BYTES) return text;
    // Always removes the last hit of the longer side, so that the result does not depend on the order of the hits.
    (pending.length >= enforced.length ? pending : enforced).pop();
  }
}

function policyTrace(text: string): PolicyTrace {
  const digest = digestOf(text);
  return { digest: digest === 0n ? 1n : digest, text };
}

/** The first eight bytes, big-endian and unsigned, of its SHA-256. */
function digestOf(text: string): bigint {
  // One call that returns a string takes a third of the time of a Hash object and a Buffer.
  return BigInt(`0x${hash('sha256', text, 'hex').slice(0, 16)}`);
}
