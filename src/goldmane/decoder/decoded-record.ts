import { Buffer } from 'node:buffer';
import type { FlowKey } from './flow-key.ts';
import { FLOW_DEST_LABEL, FLOW_SOURCE_LABEL, type FlowScan } from './flow-scan.ts';
import { NO_KEY, type KeyInterner, type KnownKey } from './key-interner.ts';
import { tryReadName } from './names.ts';
import type { PolicyTrace } from './policy-trace.ts';
import { readDetails, type RecordDetails } from './record-details.ts';
import { startsWith } from './starts-with.ts';
import { WireReader } from './wire-reader.ts';

export interface FlowRecord {
  /** The flow key's id within one server run. */
  id: number;
  key: FlowKey;
  /** The bucket's bounds, epoch seconds: multiples of the bucket's length, one bucket apart. */
  startSeconds: number;
  endSeconds: number;
  /** Whether any of the seven counters is non-zero; if none is, there was no traffic. */
  hasTraffic: boolean;
}

/** A record of a `List` response, whose labels are final. Reused: valid until the visit returns. */
export interface ListedRecord extends FlowRecord {
  /** The value of the pod label `name`; undefined if it is absent or cannot be stored. */
  sourceLabel(name: string): string | undefined;
  destLabel(name: string): string | undefined;
  /** Decoded on access; never throws. */
  readonly trace: PolicyTrace;
  /** Position of its FlowResult in the response, for `decodeAt`. */
  readonly start: number;
  readonly end: number;
  /** Decoded on each access. */
  details(options: { withLabels: boolean }): RecordDetails;
}

/** The record that the decoder reuses. */
export class DecodedRecord implements ListedRecord {
  id = 0;
  key: FlowKey = NO_KEY.key;
  known: KnownKey = NO_KEY;
  startSeconds = 0;
  endSeconds = 0;
  hasTraffic = false;
  start = 0;
  end = 0;
  readonly #scan: FlowScan;
  readonly #keys: KeyInterner;
  readonly #labels = new WireReader();
  readonly #prefixes = new Map<string, Buffer>();

  constructor(scan: FlowScan, keys: KeyInterner) {
    this.#scan = scan;
    this.#keys = keys;
  }

  get trace(): PolicyTrace {
    return this.#keys.traceOf(this.known);
  }

  details(options: { withLabels: boolean }): RecordDetails {
    return readDetails(this.#scan, options);
  }

  release(): void {
    this.#labels.reset(this.#scan.flow.buf, 0, 0);
  }

  sourceLabel(name: string): string | undefined {
    return this.#label(FLOW_SOURCE_LABEL, name);
  }

  destLabel(name: string): string | undefined {
    return this.#label(FLOW_DEST_LABEL, name);
  }

  #label(wanted: number, name: string): string | undefined {
    const { flow, labelsStart, labelsEnd } = this.#scan;
    const { buf } = flow;
    const prefix = this.#prefix(name);
    const labels = this.#labels;
    labels.reset(buf, labelsStart, labelsEnd);
    while (labels.pos < labels.end) {
      const tag = labels.tag();
      if (tag !== wanted) {
        labels.skip(tag);
        continue;
      }
      const end = labels.contentEnd();
      if (startsWith(buf, labels.pos, end, prefix)) return this.#value(labels.pos + prefix.length, end);
      labels.pos = end;
    }
    return undefined;
  }

  #value(start: number, end: number): string | undefined {
    const value = tryReadName(this.#scan.flow.buf, start, end);
    return value === undefined ? undefined : this.#keys.names.intern(value);
  }

  #prefix(name: string): Buffer {
    let prefix = this.#prefixes.get(name);
    if (!prefix) this.#prefixes.set(name, (prefix = Buffer.from(`${name}=`, 'utf8')));
    return prefix;
  }
}
