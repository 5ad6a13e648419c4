import type { PolicyTrace } from '../goldmane/decoder/decode.ts';
import { ContentTable } from './content-table.ts';
import {
  EdgeMap,
  factGroupText,
  type EdgeKey,
  type FactKey,
  type RecordList,
  type TrailRecord,
} from './record.ts';

const none = -1;
/** Greater than the number of records in any bucket. */
const traceRange = 2 ** 21;

interface ListedLimits {
  /** Distinct groups of facts (a fact without its port). */
  groups: number;
  /** Bytes of text of distinct policy traces. */
  traceBytes: number;
}

/** The ports and traces of one group; the port of `fact` is arbitrary. */
export interface ListedGroup {
  readonly fact: FactKey;
  readonly ports: ReadonlyMap<number, number>;
}

/**
 * The records of one bucket, stored as a few numbers each: content, edge and cell, where a cell is a distinct fact
 * under a distinct policy trace. Objects exist only for distinct edges, groups and traces; a record's objects are
 * created while it is visited.
 */
export class ListedRecords implements RecordList {
  readonly areKeysTransient = true;
  readonly #limits: ListedLimits;
  readonly #contents: ContentTable;
  /** By content: the record last added for it. */
  readonly #last: Int32Array;
  /** By record: another record with the same content and a different trace; its edge; its cell. */
  readonly #previous: Int32Array;
  readonly #edgeOf: Int32Array;
  readonly #cellOf: Int32Array;
  #length = 0;
  readonly #edges: EdgeKey[] = [];
  readonly #edgeNumbers = new EdgeMap<number>();
  readonly #groups: FactKey[] = [];
  readonly #groupNumbers = new Map<string, number>();
  readonly #traces: PolicyTrace[] = [];
  readonly #traceNumbers = new Map<string, number>();
  #traceBytes = 0;
  /** By cell. */
  readonly #groupOf: Int32Array;
  readonly #portOf: Int32Array;
  readonly #traceOf: Int32Array;
  #cells = 0;
  /** By group: from port and trace to the cell. */
  readonly #cellNumbers: Map<number, number>[] = [];
  #cut = 0;

  /** @param capacity the maximum number of records */
  constructor(capacity: number, limits: ListedLimits) {
    this.#limits = limits;
    this.#contents = new ContentTable(capacity);
    this.#last = new Int32Array(capacity);
    this.#previous = new Int32Array(capacity);
    this.#edgeOf = new Int32Array(capacity);
    this.#cellOf = new Int32Array(capacity);
    this.#groupOf = new Int32Array(capacity);
    this.#portOf = new Int32Array(capacity);
    this.#traceOf = new Int32Array(capacity);
  }

  get length(): number {
    return this.#length;
  }

  /** Records whose fact was dropped, because the bucket has more groups than the limit. */
  get cut(): number {
    return this.#cut;
  }

  add(content: string, edge: EdgeKey | undefined, fact: FactKey, trace: PolicyTrace): void {
    const before = this.#contents.size;
    const number = this.#contents.add(content);
    const isNew = number === before;
    const traceNumber = this.#traceNumber(trace);
    if (!isNew && this.#hasTrace(number, traceNumber)) return;
    const record = this.#length;
    this.#length += 1;
    this.#previous[record] = isNew ? none : (this.#last[number] ?? none);
    this.#last[number] = record;
    this.#edgeOf[record] = edge ? this.#edgeNumber(edge) : none;
    const cell = this.#cellNumber(fact, traceNumber);
    this.#cellOf[record] = cell;
    if (cell === none) this.#cut += 1;
  }

  /** Of two records with the same content, the one whose trace has the smaller digest comes first. */
  *[Symbol.iterator](): Generator<TrailRecord> {
    for (let number = 0; number < this.#contents.size; number++) {
      const key = { content: this.#contents.get(number) };
      for (const record of this.#recordsOf(number)) {
        const cell = this.#cellOf[record] ?? none;
        const edge = this.#edges[this.#edgeOf[record] ?? none];
        const fact = cell === none ? undefined : this.#factOf(cell);
        const trace = cell === none ? undefined : this.#traces[this.#traceOf[cell] ?? none];
        yield { key, ...(edge ? { edge } : {}), ...(fact ? { fact } : {}), ...(trace ? { trace } : {}) };
      }
    }
  }

  /** The ports of each group, with the number of their traces. Replaced ports are excluded. */
  groups(): ListedGroup[] {
    const ports = this.#groups.map(() => new Map<number, number>());
    for (let cell = 0; cell < this.#cells; cell++) {
      const ofGroup = ports[this.#groupOf[cell] ?? none];
      const port = this.#portOf[cell] ?? none;
      if (port < 0) continue;
      ofGroup?.set(port, (ofGroup.get(port) ?? 0) + 1);
    }
    return this.#groups.map((fact, group) => ({ fact, ports: ports[group] ?? new Map() }));
  }

  /**
   * Replaces ports by `replacement`.
   * @param isKept takes the index of the group in `groups`
   * @returns the number of changed facts
   */
  replacePorts(isKept: (group: number, port: number) => boolean, replacement: number): number {
    let changed = 0;
    for (let cell = 0; cell < this.#cells; cell++) {
      if (isKept(this.#groupOf[cell] ?? none, this.#portOf[cell] ?? none)) continue;
      this.#portOf[cell] = replacement;
      changed += 1;
    }
    return changed;
  }

  /**
   * @param isKept takes the index of the group in `groups`
   * @returns the number of changed facts
   */
  dropTraces(isKept: (group: number) => boolean): number {
    let changed = 0;
    for (let cell = 0; cell < this.#cells; cell++) {
      if (isKept(this.#groupOf[cell] ?? none)) continue;
      this.#traceOf[cell] = none;
      changed += 1;
    }
    return changed;
  }

  /** The current number of distinct facts under distinct traces, by the index of the group in `groups`. */
  countFacts(): number[] {
    const seen = this.#groups.map(() => new Set<number>());
    for (let cell = 0; cell < this.#cells; cell++)
      seen[this.#groupOf[cell] ?? none]?.add(
        cellKey(this.#portOf[cell] ?? none, this.#traceOf[cell] ?? none),
      );
    return seen.map(({ size }) => size);
  }

  #recordsOf(content: number): number[] {
    const last = this.#last[content] ?? none;
    const previous = this.#previous[last] ?? none;
    if (previous === none) return [last];
    const records: number[] = [];
    for (let record = last; record !== none; record = this.#previous[record] ?? none) records.push(record);
    const traceOf = (record: number) => this.#traces[this.#traceOf[this.#cellOf[record] ?? none] ?? none];
    return records.toReversed().sort((a, b) => compareTraces(traceOf(a), traceOf(b)));
  }

  #hasTrace(content: number, trace: number): boolean {
    for (let record = this.#last[content] ?? none; record !== none; record = this.#previous[record] ?? none) {
      const cell = this.#cellOf[record] ?? none;
      if (cell === none || this.#traceOf[cell] === trace) return true;
    }
    return false;
  }

  #factOf(cell: number): FactKey | undefined {
    const group = this.#groups[this.#groupOf[cell] ?? none];
    const port = this.#portOf[cell] ?? none;
    return group && (group.port === port ? group : { ...group, port });
  }

  #edgeNumber(edge: EdgeKey): number {
    const known = this.#edgeNumbers.get(edge);
    if (known !== undefined) return known;
    this.#edgeNumbers.set(edge, this.#edges.length);
    return this.#edges.push(edge) - 1;
  }

  /** `none` once the texts reach their memory limit: the trace is then stored as "other". */
  #traceNumber(trace: PolicyTrace): number {
    const known = this.#traceNumbers.get(trace.text);
    if (known !== undefined) return known;
    if (this.#traceBytes + trace.text.length > this.#limits.traceBytes) return none;
    this.#traceBytes += trace.text.length;
    this.#traceNumbers.set(trace.text, this.#traces.length);
    return this.#traces.push(trace) - 1;
  }

  #cellNumber(fact: FactKey, trace: number): number {
    const text = factGroupText(fact);
    let group = this.#groupNumbers.get(text);
    if (group === undefined) {
      if (this.#groups.length >= this.#limits.groups) return none;
      group = this.#groups.push(fact) - 1;
      this.#groupNumbers.set(text, group);
      this.#cellNumbers.push(new Map());
    }
    const numbers = this.#cellNumbers[group];
    const key = cellKey(fact.port, trace);
    const known = numbers?.get(key);
    if (known !== undefined) return known;
    const cell = this.#cells;
    this.#cells += 1;
    numbers?.set(key, cell);
    this.#groupOf[cell] = group;
    this.#portOf[cell] = fact.port;
    this.#traceOf[cell] = trace;
    return cell;
  }
}

function cellKey(port: number, trace: number): number {
  return (port + 1) * traceRange + trace + 1;
}

function compareTraces(a: PolicyTrace | undefined, b: PolicyTrace | undefined): number {
  const [left, right] = [a?.digest ?? 0n, b?.digest ?? 0n];
  if (left !== right) return left < right ? -1 : 1;
  return (a?.text ?? '') < (b?.text ?? '') ? -1 : 1;
}
