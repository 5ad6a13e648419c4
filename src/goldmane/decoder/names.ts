import { Buffer, isUtf8 } from 'node:buffer';
import { InternCache } from './intern-cache.ts';
import { MalformedFlow } from './malformed-flow.ts';

/**
 * Limit for text that is stored: namespaces (63 bytes in Kubernetes), protocols, network set names (253) and label
 * values (63). Longer text might not fit an index row.
 */
export const MAX_NAME_BYTES = 253;

// C0, DEL and C1: Postgres rejects NUL, and no valid name contains any of the others.
// oxlint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;

/** The name at [start, end). Throws MalformedFlow (`name_too_long`, `bad_name`) with the name of the `field`. */
export function readName(buf: Buffer, start: number, end: number, field: string): string {
  const length = end - start;
  if (length > MAX_NAME_BYTES)
    throw new MalformedFlow('name_too_long', `${field} is ${length} bytes long, more than ${MAX_NAME_BYTES}`);
  const name = tryReadName(buf, start, end);
  if (name === undefined)
    throw new MalformedFlow('bad_name', `${field} has control characters or is not UTF-8`);
  return name;
}

/**
 * Text that is part of a record's identity but never stored: names of pods and Services. Kubernetes accepts a
 * `generateName` of 253 bytes and Felix appends `*`, so there is no limit. Throws MalformedFlow (`bad_name`) for
 * invalid UTF-8: two such texts could decode to the same string.
 */
export function readUnstoredName(buf: Buffer, start: number, end: number, field: string): string {
  for (let at = start; at < end; at++) {
    if ((buf[at] ?? 0) < 0x80) continue;
    if (!isUtf8(buf.subarray(start, end))) throw new MalformedFlow('bad_name', `${field} is not UTF-8`);
    return buf.toString('utf8', start, end);
  }
  return buf.toString('latin1', start, end);
}

/** Throws MalformedFlow (`name_too_long`, `bad_name`) when `name` cannot be stored. */
export function checkStoredName(name: string, field: string): void {
  if (name.length > MAX_NAME_BYTES || CONTROL.test(name)) {
    const bytes = Buffer.from(name, 'utf8');
    readName(bytes, 0, bytes.length, field);
  }
}

/** The same as `readName`, but undefined for text that cannot be stored. */
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

/** Returns the same string object for equal names while they are in use. */
export class NameCache {
  readonly #seen: InternCache<string, string>;

  /** @param limitBytes memory limit of the cached names */
  constructor(limitBytes: number) {
    this.#seen = new InternCache(limitBytes, (name) => name.length);
  }

  intern(name: string): string {
    const seen = this.#seen.get(name);
    if (seen !== undefined) return seen;
    this.#seen.set(name, name);
    return name;
  }
}
