import type { PolicyTrace } from '../../goldmane/decoder/decode.ts';
import { ContentTable } from './content-table.ts';
import { ListedFacts, none, type ListedGroup, type ListedLimits } from './listed-facts.ts';
import type { FactKey, RecordList, TrailRecord } from '../record.ts';
import { EdgeMap, type EdgeKey } from '../edge-key.ts';

/** Policy traces of one content; a fact has room for fewer. Finding one takes longer the more there are. */
const maxTraces = 64;

/**
 * The records of one bucket, stored as a few numbers each: content, edge and cell, where a cell is a distinct fact
 * under a distinct policy trace. Objects exist only for distinct edges, groups and traces; a record's objects are
 * created while it is visited.
 */
export class ListedRecords implements RecordList {
  readonly areKeysTransient = true;
  readonly #contents: ContentTable;
  /** By content: the record last added for it. */
  readonly #last: Int32Array;
  /** By record: another record with the same content and a different trace; its edge; its cell. */
  readonly #previous: Int32Array;
  readonly #edgeOf: Int32Array;
  readonly #cellOf: Int32Array;
  #length = 0;
  #tracesLeftOut = 0;
  readonly #edges: EdgeKey[] = [];
  readonly #edgeNumbers = new EdgeMap<number>();
  readonly #facts: ListedFacts;

  /** @param capacity the maximum number of records */
  constructor(capacity: number, limits: ListedLimits) {
    this.#contents = new ContentTable(capacity);
    this.#last = new Int32Array(capacity);
    this.#previous = new Int32Array(capacity);
    this.#edgeOf = new Int32Array(capacity);
    this.#cellOf = new Int32Array(capacity);
    this.#facts = new ListedFacts(capacity, limits, (cells) => this.#moveCells(cells));
  }

  get length(): number {
    return this.#length;
  }

  /** Records without a fact, because the bucket has more groups than the limit; one with several traces counts once. */
  get cut(): number {
    let cut = 0;
    for (let number = 0; number < this.#contents.size; number++) if (!this.#hasCell(number)) cut += 1;
    return cut;
  }

  /** At least the number of distinct facts under distinct policy traces. */
  get cells(): number {
    return this.#facts.cells;
  }

  /** Facts that lost their identities or policy trace, because the bucket has more of them than the limits. */
  get coarsened(): number {
    return this.#facts.coarsened + this.#tracesLeftOut;
  }

  /** Namespaces with identities that are not stored for the same reason. */
  get coarseNamespaces(): ReadonlySet<string> {
    return this.#facts.coarseNamespaces;
  }

  add(content: string, edge: EdgeKey | undefined, fact: FactKey, trace: PolicyTrace): void {
    const before = this.#contents.size;
    const number = this.#contents.add(content);
    const isNew = number === before;
    const traceNumber = this.#facts.traceNumber(trace, fact);
    if (!isNew && !this.#hasRoomFor(number, traceNumber)) return;
    // May move the cells of earlier records.
    const cell = this.#facts.cellNumber(fact, traceNumber);
    const record = this.#length;
    this.#length += 1;
    this.#previous[record] = isNew ? none : (this.#last[number] ?? none);
    this.#last[number] = record;
    this.#edgeOf[record] = edge ? this.#edgeNumber(edge) : none;
    this.#cellOf[record] = cell;
  }

  /** Of two records with the same content, the one whose trace has the smaller digest comes first. */
  *[Symbol.iterator](): Generator<TrailRecord> {
    for (let number = 0; number < this.#contents.size; number++) {
      const key = { content: this.#contents.get(number) };
      for (const record of this.#recordsOf(number)) {
        const cell = this.#cellOf[record] ?? none;
        const edge = this.#edges[this.#edgeOf[record] ?? none];
        const fact = cell === none ? undefined : this.#facts.factOf(cell);
        const trace = cell === none ? undefined : this.#facts.traceOf(cell);
        yield { key, ...(edge ? { edge } : {}), ...(fact ? { fact } : {}), ...(trace ? { trace } : {}) };
      }
    }
  }

  /** The ports of each group, with the number of their traces. Replaced ports are excluded. */
  groups(): ListedGroup[] {
    return this.#facts.groups();
  }

  /**
   * Replaces ports by `replacement`.
   * @param isKept takes the index of the group in `groups`
   * @returns the number of changed facts
   */
  replacePorts(isKept: (group: number, port: number) => boolean, replacement: number): number {
    return this.#facts.replacePorts(isKept, replacement);
  }

  /**
   * @param isKept takes the index of the group in `groups`
   * @returns the number of changed facts
   */
  dropTraces(isKept: (group: number) => boolean): number {
    return this.#facts.dropTraces(isKept);
  }

  /** The current number of distinct facts under distinct traces, by the index of the group in `groups`. */
  countFacts(): number[] {
    return this.#facts.countFacts();
  }

  #recordsOf(content: number): number[] {
    const last = this.#last[content] ?? none;
    const previous = this.#previous[last] ?? none;
    if (previous === none) return [last];
    const records: number[] = [];
    for (let record = last; record !== none; record = this.#previous[record] ?? none) records.push(record);
    const traceOf = (record: number) => this.#facts.traceOf(this.#cellOf[record] ?? none);
    return records.toReversed().sort((a, b) => compareTraces(traceOf(a), traceOf(b)));
  }

  #hasCell(content: number): boolean {
    for (let record = this.#last[content] ?? none; record !== none; record = this.#previous[record] ?? none)
      if (this.#cellOf[record] !== none) return true;
    return false;
  }

  /** Also false if the content already has the trace. */
  #hasRoomFor(content: number, trace: number): boolean {
    let traces = 0;
    for (let record = this.#last[content] ?? none; record !== none; record = this.#previous[record] ?? none) {
      const cell = this.#cellOf[record] ?? none;
      if (cell === none || this.#facts.hasTrace(cell, trace)) return false;
      traces += 1;
    }
    if (traces < maxTraces) return true;
    this.#tracesLeftOut += 1;
    return false;
  }

  #moveCells(cells: Int32Array): void {
    for (let record = 0; record < this.#length; record++) {
      const former = this.#cellOf[record] ?? none;
      if (former !== none) this.#cellOf[record] = cells[former] ?? none;
    }
  }

  #edgeNumber(edge: EdgeKey): number {
    const known = this.#edgeNumbers.get(edge);
    if (known !== undefined) return known;
    this.#edgeNumbers.set(edge, this.#edges.length);
    return this.#edges.push(edge) - 1;
  }
}

function compareTraces(a: PolicyTrace | undefined, b: PolicyTrace | undefined): number {
  const [left, right] = [a?.digest ?? 0n, b?.digest ?? 0n];
  if (left !== right) return left < right ? -1 : 1;
  return (a?.text ?? '') < (b?.text ?? '') ? -1 : 1;
}
