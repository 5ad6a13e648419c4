import type { Query } from '../database/database.ts';
import { bucketSeconds } from '../../time/bucket.ts';
import { saltedHasher, unsaltedHasher, type RecordHasher } from '../merge/record-hash.ts';

const remembered = 4_096;
const stored = 256;
/** Maximum per record: a record has one flow key per order of the hits in its policy trace. */
const storedIdsEach = 8;

/** The server's ids of a record's flow keys, by content, as `foldList` returns them. */
type FlowIds = ReadonlyMap<string, readonly number[]>;

/** Restored from another worker or an earlier window, which stored only hashes. */
interface RestoredIds {
  readonly ids: Map<bigint, Set<number>>;
  readonly hasher: RecordHasher;
}

/**
 * Distinguishes one run of the Goldmane server from the next by the ids of recurring flow keys: within a run an id is stable unless
 * its key idled for an hour, after a restart all ids change (measured on 3.30 and 3.32). For buckets that began before
 * a run was first seen, the server may have only what nodes sent again: these buckets are merged but not settled
 * (invariant 2).
 * If `suspects` is true for a response, a bucket for which this run returned records before is listed again and
 * compared.
 */
export class ServerRuns {
  /** The ids seen in this run by content, most recently seen last. */
  #ids = new Map<string, Set<number>>();
  #restored: RestoredIds | undefined;
  #firstSeenSeconds = Number.NEGATIVE_INFINITY;
  #isDoubted = true;

  /** Buckets that began before this cannot be settled by the present run; -Infinity for the first known run. */
  get firstSeenSeconds(): number {
    return this.#firstSeenSeconds;
  }

  /** Call this when a connection is opened: until the run is recognised, it may be a new one. */
  doubt(): void {
    this.#isDoubted = true;
  }

  /** Call this when the run is recognised. */
  trust(): void {
    this.#isDoubted = false;
  }

  /** Whether these ids may be from another run. Keys that idled for an hour get new ids within a run, too. */
  suspects(ids: FlowIds): boolean {
    if (this.#isEmpty || ids.size === 0) return false;
    return this.#isDoubted || (this.knows(ids) && this.differs(ids));
  }

  /** Whether any of these records was seen in this run. */
  knows(ids: FlowIds): boolean {
    return this.#compare(ids).common > 0;
  }

  /**
   * Whether these ids are from another run. Ids count from one in every run, so a few may match by chance. If no record
   * is known, the run counts as new, because a false gap is better than a false "settled".
   */
  differs(ids: FlowIds): boolean {
    const { common, same } = this.#compare(ids);
    return common === 0 || same * 2 < common;
  }

  /** Whether the ids of a record with this content were seen in this run. */
  isKnown(content: string): boolean {
    const restored = this.#restored && this.#restored.ids.size > 0 ? this.#restored : undefined;
    return this.#ids.has(content) || (restored?.ids.has(restored.hasher.hash(content)) ?? false);
  }

  /** A new run is responding; it started at this time or earlier. */
  begin(nowSeconds: number): void {
    this.#ids.clear();
    this.#restored = undefined;
    this.#firstSeenSeconds = Math.floor(nowSeconds / bucketSeconds) * bucketSeconds + bucketSeconds;
    this.#isDoubted = false;
  }

  /** Adds the ids of a response of this run. The first run that ever responds is trusted. */
  remember(ids: FlowIds): void {
    if (this.#isEmpty && ids.size > 0) this.#isDoubted = false;
    for (const [content, list] of ids) {
      const known = this.#ids.get(content) ?? this.#takeRestored(content) ?? new Set();
      for (const id of list) known.add(id);
      this.#ids.delete(content);
      this.#ids.set(content, known);
    }
    for (const content of this.#ids.keys()) {
      if (this.#ids.size <= remembered) break;
      this.#ids.delete(content);
    }
  }

  /**
   * The most recent pairs of hash and id, 16 bytes each, for the next worker. Restored pairs that did not recur are
   * omitted if the hasher has changed because the database was replaced.
   */
  pack(hasher: RecordHasher): Buffer {
    const restored = this.#restored?.hasher === hasher ? this.#restored.ids : [];
    const recent = [...this.#ids].slice(-stored);
    const pairs = [
      ...[...restored].slice(0, stored - recent.length),
      ...recent.map(([content, ids]) => [hasher.hash(content), ids] as const),
    ].flatMap(([hash, ids]) => [...ids].slice(-storedIdsEach).map((id) => ({ hash, id })));
    const packed = Buffer.alloc(pairs.length * 16);
    pairs.forEach(({ hash, id }, index) => {
      packed.writeBigUInt64BE(hash, index * 16);
      packed.writeBigInt64BE(BigInt(id), index * 16 + 8);
    });
    return packed;
  }

  /**
   * Restores the pairs that another worker or an earlier process stored; the next response is compared with them first.
   * @param hasher the one that computed `packed`
   */
  restore(packed: Buffer, firstSeenSeconds: number, hasher: RecordHasher): void {
    this.#ids.clear();
    const restored = new Map<bigint, Set<number>>();
    for (let at = 0; at + 16 <= packed.length; at += 16) {
      const hash = packed.readBigUInt64BE(at);
      const known = restored.get(hash) ?? new Set();
      known.add(Number(packed.readBigInt64BE(at + 8)));
      restored.set(hash, known);
    }
    this.#restored = { ids: restored, hasher };
    this.#firstSeenSeconds = firstSeenSeconds;
    this.#isDoubted = true;
  }

  get #isEmpty(): boolean {
    return this.#ids.size === 0 && (this.#restored?.ids.size ?? 0) === 0;
  }

  #takeRestored(content: string): Set<number> | undefined {
    if (!this.#restored || this.#restored.ids.size === 0) return undefined;
    const { ids, hasher } = this.#restored;
    const hash = hasher.hash(content);
    const known = ids.get(hash);
    ids.delete(hash);
    return known;
  }

  #compare(ids: FlowIds): { common: number; same: number } {
    let common = 0;
    let same = 0;
    const restored = this.#restored && this.#restored.ids.size > 0 ? this.#restored : undefined;
    for (const [content, list] of ids) {
      const known = this.#ids.get(content) ?? restored?.ids.get(restored.hasher.hash(content));
      if (!known) continue;
      common += 1;
      if (list.some((id) => known.has(id))) same += 1;
    }
    return { common, same };
  }
}

/** Loads the newest known run, if any. @throws DatabaseFailure */
export async function loadServerRun(query: Query, runs: ServerRuns): Promise<void> {
  const [row] = await query<{
    first_seen: number | null;
    flow_ids: Buffer;
    salted: boolean;
    salt: Buffer | null;
  }>(
    `select case when isfinite(first_seen) then extract(epoch from first_seen)::float8 end as first_seen, flow_ids, salted,
       (select salt from record_salt) as salt
     from goldmane_run order by goldmane_run.first_seen desc limit 1`,
  );
  if (!row) return;
  const hasher = row.salted ? saltedHasher(row.salt) : unsaltedHasher;
  runs.restore(row.flow_ids, row.first_seen ?? Number.NEGATIVE_INFINITY, hasher);
}

/** Stores the current run; older runs stay as a history of restarts. @throws DatabaseFailure */
export async function saveServerRun(query: Query, runs: ServerRuns): Promise<void> {
  const [row] = await query<{ salt: Buffer }>('select salt from record_salt');
  const packed = runs.pack(saltedHasher(row?.salt));
  if (packed.length === 0) return;
  await query(
    `insert into goldmane_run as r (first_seen, flow_ids, salted)
     values (coalesce(to_timestamp($1::float8), '-infinity'), $2, true)
     on conflict (first_seen) do update set flow_ids = excluded.flow_ids, salted = true
     where r.flow_ids <> excluded.flow_ids or not r.salted`,
    [Number.isFinite(runs.firstSeenSeconds) ? runs.firstSeenSeconds : null, packed],
  );
}
