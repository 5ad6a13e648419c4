import type { LogAttributes } from '@opentelemetry/api-logs';

/** Longer than any name or label that Kubernetes or Calico accepts, by bytes of UTF-8. */
const maxTextBytes = 512;
/** Per endpoint. With the other attributes, a record then has fewer than the 128 that the SDKs and Loki allow. */
const maxLabels = 48;
const maxLabelBytes = 8_192;
/** Tag, lengths and type of an attribute in protobuf. */
const overheadBytes = 12;
const mark = '…';

/**
 * Attributes of one log record, of bounded size. Texts were decoded from UTF-8, so they contain no lone surrogates,
 * which would make a receiver reject the whole request.
 */
export class AttributeList {
  readonly #attributes: LogAttributes = {};
  readonly #cut: string[] = [];
  #dropped = 0;
  #bytes = 0;

  /** Their approximate size in a request. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The number of omitted attributes. */
  get dropped(): number {
    return this.#dropped;
  }

  text(name: string, value: string): void {
    this.#set(name, this.#limited(name, value));
  }

  number(name: string, value: number): void {
    this.#attributes[name] = Math.min(value, Number.MAX_SAFE_INTEGER);
    this.#bytes += name.length + overheadBytes + 8;
  }

  texts(name: string, values: readonly string[]): void {
    const limited = values.map((value) => this.#limited(name, value));
    this.#attributes[name] = limited;
    this.#bytes += limited.reduce(
      (sum, value) => sum + Buffer.byteLength(value) + overheadBytes,
      name.length + overheadBytes,
    );
  }

  /** Records that the value of an attribute was truncated. */
  noteCut(name: string): void {
    if (!this.#cut.includes(name)) this.#cut.push(name);
  }

  /**
   * Pod labels as attributes `prefix.<key>`: those with a wanted key, up to a limit.
   * @param labels `key=value`; split at the first `=`
   */
  labels(prefix: string, labels: readonly string[], wanted: ReadonlySet<string> | 'all'): void {
    if (wanted !== 'all' && wanted.size === 0) return;
    const before = this.#bytes;
    let count = 0;
    for (const label of labels) {
      const at = label.indexOf('=');
      const key = at < 0 ? label : label.slice(0, at);
      if (wanted !== 'all' && !wanted.has(key)) continue;
      if (
        count >= maxLabels ||
        this.#bytes - before > maxLabelBytes ||
        Buffer.byteLength(key) > maxTextBytes
      ) {
        this.noteCut(prefix);
        this.#dropped += 1;
        continue;
      }
      count += 1;
      this.text(`${prefix}.${key}`, at < 0 ? '' : label.slice(at + 1));
    }
  }

  finish(): LogAttributes {
    if (this.#cut.length > 0) this.#attributes['flow_trail.cut'] = this.#cut;
    this.#bytes += this.#cut.reduce((sum, name) => sum + name.length + overheadBytes, overheadBytes);
    return this.#attributes;
  }

  #set(name: string, value: string): void {
    this.#attributes[name] = value;
    this.#bytes += Buffer.byteLength(name) + Buffer.byteLength(value) + overheadBytes;
  }

  #limited(name: string, value: string): string {
    if (value.length * 3 <= maxTextBytes) return value;
    const bytes = Buffer.from(value, 'utf8');
    if (bytes.length <= maxTextBytes) return value;
    this.noteCut(name);
    let end = maxTextBytes - Buffer.byteLength(mark);
    // Does not split a character.
    while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
    return bytes.toString('utf8', 0, end) + mark;
  }
}
