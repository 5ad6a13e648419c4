import type { PolicyTrace } from '../../goldmane/decoder/decode.ts';
import {
  groupsToKeep,
  pairOf,
  pairsToCoarsen,
  sourceOf,
  traceOwner,
  tracesToKeep,
  withoutIdentities,
  type CoarseEnds,
} from './coarse-facts.ts';
import { factGroupText, type FactKey } from '../record.ts';

/** No cell, group or trace. */
export const none = -1;
/** How often room is made for groups; each time takes as long as folding a few thousand records. */
const maxTimes = 32;
/** Greater than the number of records in any bucket. */
const traceRange = 2 ** 21;

export interface ListedLimits {
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
 * The distinct facts of one bucket under distinct policy traces, each a cell of a few numbers. If a limit is reached, namespaces with
 * the most groups or trace text lose detail first, so that a flood does not take it from others: identities, then facts; and traces.
 */
export class ListedFacts {
  readonly #limits: ListedLimits;
  #groups: FactKey[] = [];
  #groupNumbers = new Map<string, number>();
  readonly #traces: (PolicyTrace | undefined)[] = [];
  readonly #traceNumbers = new Map<string, number>();
  #traceBytes = 0;
  /** By cell. */
  readonly #groupOf: Int32Array;
  readonly #portOf: Int32Array;
  readonly #traceOf: Int32Array;
  #cells = 0;
  /** By group: from port and trace to the cell. */
  #cellNumbers: Map<number, number>[] = [];
  /** Pairs of namespaces, with the ends whose identities are not stored. */
  readonly #coarsePairs = new Map<string, CoarseEnds>();
  readonly #coarseNamespaces = new Set<string>();
  /** Sources whose further groups are not stored. */
  readonly #limitedSources = new Set<string>();
  #timesRoomWasMade = 0;
  /** Namespaces whose further traces are not stored. */
  readonly #limitedOwners = new Set<string>();
  readonly #onMove: (cells: Int32Array) => void;
  #coarsened = 0;

  /**
   * @param capacity the maximum number of cells
   * @param onMove takes the new cell of each former cell, `none` for those that were dropped
   */
  constructor(capacity: number, limits: ListedLimits, onMove: (cells: Int32Array) => void) {
    this.#limits = limits;
    this.#onMove = onMove;
    this.#groupOf = new Int32Array(capacity);
    this.#portOf = new Int32Array(capacity);
    this.#traceOf = new Int32Array(capacity);
  }

  get cells(): number {
    return this.#cells;
  }

  /** Facts that lost their identities or policy trace so that the bucket fits. */
  get coarsened(): number {
    return this.#coarsened;
  }

  /** Namespaces with identities that are not stored. */
  get coarseNamespaces(): ReadonlySet<string> {
    return this.#coarseNamespaces;
  }

  /** `none` if its namespace has no room for more trace text: the trace is then stored as "other". */
  traceNumber(trace: PolicyTrace, fact: FactKey): number {
    const known = this.#traceNumbers.get(trace.text);
    if (known !== undefined) return known;
    const bytes = trace.text.length;
    if (this.#traceBytes + bytes > this.#limits.traceBytes && !this.#isLimited(fact)) this.#dropTraceText();
    if (this.#traceBytes + bytes > this.#limits.traceBytes || this.#isLimited(fact)) {
      this.#coarsened += 1;
      return none;
    }
    this.#traceBytes += bytes;
    this.#traceNumbers.set(trace.text, this.#traces.length);
    return this.#traces.push(trace) - 1;
  }

  /** The cell of the fact; `none` if there is no room for it. May move other cells. */
  cellNumber(fact: FactKey, trace: number): number {
    const group = this.#groupNumber(fact);
    return group === none ? none : this.#placeCell(group, fact.port, trace);
  }

  factOf(cell: number): FactKey | undefined {
    const group = this.#groups[this.#groupOf[cell] ?? none];
    const port = this.#portOf[cell] ?? none;
    return group && (group.port === port ? group : { ...group, port });
  }

  traceOf(cell: number): PolicyTrace | undefined {
    return this.#traces[this.#traceOf[cell] ?? none];
  }

  hasTrace(cell: number, trace: number): boolean {
    return this.#traceOf[cell] === trace;
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

  replacePorts(isKept: (group: number, port: number) => boolean, replacement: number): number {
    let changed = 0;
    for (let cell = 0; cell < this.#cells; cell++) {
      if (isKept(this.#groupOf[cell] ?? none, this.#portOf[cell] ?? none)) continue;
      this.#portOf[cell] = replacement;
      changed += 1;
    }
    return changed;
  }

  dropTraces(isKept: (group: number) => boolean): number {
    let changed = 0;
    for (let cell = 0; cell < this.#cells; cell++) {
      if (isKept(this.#groupOf[cell] ?? none)) continue;
      this.#traceOf[cell] = none;
      changed += 1;
    }
    return changed;
  }

  /** The current number of distinct facts under distinct traces, by group. */
  countFacts(): number[] {
    const seen = this.#groups.map(() => new Set<number>());
    for (let cell = 0; cell < this.#cells; cell++)
      seen[this.#groupOf[cell] ?? none]?.add(
        cellKey(this.#portOf[cell] ?? none, this.#traceOf[cell] ?? none),
      );
    return seen.map(({ size }) => size);
  }

  #groupNumber(fact: FactKey): number {
    const text = factGroupText(fact);
    const known = this.#groupNumbers.get(text);
    if (known !== undefined) return known;
    const coarse = this.#coarse(fact);
    if (coarse !== fact) {
      this.#coarsened += 1;
      return this.#groupNumber(coarse);
    }
    if (this.#limitedSources.size > 0 && this.#limitedSources.has(sourceOf(fact))) return none;
    if (this.#groups.length >= this.#limits.groups) {
      if (this.#isFinal) return none;
      this.#makeRoom();
      return this.#groupNumber(fact);
    }
    return this.#addGroup(text, fact);
  }

  #placeGroup(fact: FactKey): number {
    const text = factGroupText(fact);
    return this.#groupNumbers.get(text) ?? this.#addGroup(text, fact);
  }

  #addGroup(text: string, fact: FactKey): number {
    this.#groupNumbers.set(text, this.#groups.length);
    this.#cellNumbers.push(new Map());
    return this.#groups.push(fact) - 1;
  }

  /** Room is no longer made: further groups are stored without identities, as far as there is room. */
  get #isFinal(): boolean {
    return this.#timesRoomWasMade >= maxTimes;
  }

  #coarse(fact: FactKey): FactKey {
    const ends = this.#coarseEnds(fact);
    if (ends === undefined) return fact;
    const coarse = withoutIdentities(fact, ends);
    if (coarse.src !== fact.src && fact.src.ns !== '') this.#coarseNamespaces.add(fact.src.ns);
    if (coarse.dst !== fact.dst && fact.dst.ns !== '') this.#coarseNamespaces.add(fact.dst.ns);
    return coarse;
  }

  #coarseEnds(fact: FactKey): CoarseEnds | undefined {
    if (this.#isFinal) return 'both';
    return this.#coarsePairs.size === 0 ? undefined : this.#coarsePairs.get(pairOf(fact));
  }

  #makeRoom(): void {
    const { groups: limit } = this.#limits;
    for (const [pair, ends] of pairsToCoarsen(this.#groups, limit)) {
      const former = this.#coarsePairs.get(pair) ?? ends;
      this.#coarsePairs.set(pair, former === ends ? ends : 'both');
    }
    this.#regroup(this.#groups.map((fact) => this.#coarse(fact)));
    const { kept, limited } = groupsToKeep(this.#groups, limit);
    for (const source of limited) this.#limitedSources.add(source);
    if (kept.includes(false))
      this.#regroup(this.#groups.map((fact, at) => (kept[at] === true ? fact : undefined)));
    this.#timesRoomWasMade += 1;
  }

  /** @param facts the new fact of each group; groups with equal facts become one, and those without a fact are dropped */
  #regroup(facts: readonly (FactKey | undefined)[]): void {
    const formerGroups = this.#groups;
    this.#groups = [];
    this.#groupNumbers = new Map();
    this.#cellNumbers = [];
    const numbers = facts.map((fact) => (fact ? this.#placeGroup(fact) : none));
    const moved = new Int32Array(this.#cells);
    const cells = this.#cells;
    this.#cells = 0;
    for (let cell = 0; cell < cells; cell++) {
      const former = this.#groupOf[cell] ?? none;
      const fact = facts[former];
      moved[cell] = none;
      if (!fact) continue;
      if (fact !== formerGroups[former]) this.#coarsened += 1;
      moved[cell] = this.#placeCell(
        numbers[former] ?? none,
        this.#portOf[cell] ?? none,
        this.#traceOf[cell] ?? none,
      );
    }
    this.#onMove(moved);
  }

  #placeCell(group: number, port: number, trace: number): number {
    const numbers = this.#cellNumbers[group];
    const key = cellKey(port, trace);
    const known = numbers?.get(key);
    if (known !== undefined) return known;
    const cell = this.#cells;
    this.#cells += 1;
    numbers?.set(key, cell);
    this.#groupOf[cell] = group;
    this.#portOf[cell] = port;
    this.#traceOf[cell] = trace;
    return cell;
  }

  #isLimited(fact: FactKey): boolean {
    return this.#limitedOwners.size > 0 && this.#limitedOwners.has(traceOwner(fact));
  }

  #dropTraceText(): void {
    const owners = this.#traces.map(() => new Set<string>());
    const ownerOf = this.#groups.map(traceOwner);
    for (let cell = 0; cell < this.#cells; cell++)
      owners[this.#traceOf[cell] ?? none]?.add(ownerOf[this.#groupOf[cell] ?? none] ?? '');
    const bytes = this.#traces.map((trace) => trace?.text.length ?? 0);
    const { kept, limited } = tracesToKeep(bytes, owners, this.#limits.traceBytes);
    for (const owner of limited) this.#limitedOwners.add(owner);
    for (const [number, trace] of this.#traces.entries()) {
      if (kept[number] === true || !trace) continue;
      this.#traceBytes -= trace.text.length;
      this.#traceNumbers.delete(trace.text);
      this.#traces[number] = undefined;
    }
    for (let cell = 0; cell < this.#cells; cell++) {
      const trace = this.#traceOf[cell] ?? none;
      if (trace === none || kept[trace] === true) continue;
      this.#traceOf[cell] = none;
      this.#coarsened += 1;
    }
  }
}

function cellKey(port: number, trace: number): number {
  return (port + 1) * traceRange + trace + 1;
}
