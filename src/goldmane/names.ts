import { isUtf8, type Buffer } from 'node:buffer';
import { InternCache } from './intern-cache.ts';
import { MalformedFlow } from './malformed-flow.ts';

/** Kubernetes allows 253 bytes for the longest of its names; what is much longer would not fit an index row either. */
export const MAX_NAME_BYTES = 253;

// C0, DEL and C1: Postgres refuses NUL, and text with any of the others is no name.
// oxlint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;

/** The name at [start, end). Throws MalformedFlow (`name_too_long`, `bad_name`), which says which `field`. */
export function readName(buf: Buffer, start: number, end: number, field: string): string {
  const length = end - start;
  if (length > MAX_NAME_BYTES)
    throw new MalformedFlow('name_too_long', `${field} is ${length} bytes long, more than ${MAX_NAME_BYTES}`);
  const name = tryReadName(buf, start, end);
  if (name === undefined)
    throw new MalformedFlow('bad_name', `${field} has control characters or is not UTF-8`);
  return name;
}

/** The same, but undefined for what is no name. */
export function tryReadName(buf: Buffer, start: number, end: number): string | undefined {
  if (end - start > MAX_NAME_BYTES) return undefined;
  let ascii = true;
  for (let at = start; at < end; at++) {
    const byte = buf[at] ?? 0;
    if (byte < 0x20 || byte === 0x7f) return undefined;
    if (byte >= 0x80) ascii = false;
  }
  if (ascii) return buf.toString('latin1', start, end);
  if (!isUtf8(buf.subarray(start, end))) return undefined;
  const text = buf.toString('utf8', start, end);
  return CONTROL.test(text) ? undefined : text;
}

/** Makes equal names one object for as long as they are in use. */
export class NameCache {
  readonly #seen: InternCache<string, string>;

  constructor(limit: number) {
    this.#seen = new InternCache(limit);
  }

  intern(name: string): string {
    const seen = this.#seen.get(name);
    if (seen !== undefined) return seen;
    this.#seen.set(name, name);
    return name;
  }
}
