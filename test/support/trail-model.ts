import { HashSet } from '../../src/trail/merge/hashes.ts';
import { saltedHasher } from '../../src/trail/merge/record-hash.ts';
import { planMerge, type LedgerRow } from '../../src/trail/merge/merge-plan.ts';
import { factGroupText, type BucketBatch } from '../../src/trail/record.ts';
import { edgeText } from '../../src/trail/edge-key.ts';
import { sortEdges, type EdgeRow } from './capture.ts';

export interface FactRow {
  text: string;
  edge: string;
  isEdge: boolean;
  first_seen: number;
  last_seen: number;
  flow_count: number;
  hours: number;
}

const salt = Buffer.alloc(32, 1);

/** A trail in memory that applies merge plans like the database, one batch of buckets at a time. */
export class TrailModel {
  readonly ledger = new Map<number, LedgerRow>();
  readonly #edges = new Map<string, EdgeRow>();
  readonly #facts = new Map<string, FactRow>();
  readonly #adoptedUntilSeconds: number;

  constructor(adoptedUntilSeconds = Number.NEGATIVE_INFINITY) {
    this.#adoptedUntilSeconds = adoptedUntilSeconds;
  }

  merge(batches: readonly BucketBatch[]): void {
    for (const { startSeconds } of batches)
      if (!this.ledger.has(startSeconds))
        this.ledger.set(startSeconds, {
          startSeconds,
          hasher: saltedHasher(salt),
          streamed: new HashSet(),
          settled: new HashSet(),
        });
    const plan = planMerge(this.ledger, batches, this.#adoptedUntilSeconds);
    for (const { edge, count, firstSeconds, lastSeconds } of plan.edges) {
      const row = this.#edges.get(edgeText(edge));
      this.#edges.set(edgeText(edge), {
        src_ns: edge.srcNs,
        dst_ns: edge.dstNs,
        action: edge.action,
        first_seen: Math.min(row?.first_seen ?? firstSeconds, firstSeconds),
        last_seen: Math.max(row?.last_seen ?? lastSeconds, lastSeconds),
        flow_count: (row?.flow_count ?? 0) + count,
      });
    }
    for (const { fact, day, trace, count, firstSeconds, lastSeconds, hours } of plan.facts) {
      const text = `${factGroupText(fact)}\n${fact.port}\n${day}\n${trace?.digest ?? 0}`;
      const row = this.#facts.get(text);
      const { src, dst, action } = fact;
      this.#facts.set(text, {
        text,
        edge: edgeText({ srcNs: src.ns, dstNs: dst.ns, action }),
        isEdge:
          src.kind === 'workload' &&
          dst.kind === 'workload' &&
          src.ns !== '' &&
          dst.ns !== '' &&
          src.ns !== dst.ns,
        first_seen: Math.min(row?.first_seen ?? firstSeconds, firstSeconds),
        last_seen: Math.max(row?.last_seen ?? lastSeconds, lastSeconds),
        flow_count: (row?.flow_count ?? 0) + count,
        hours: (row?.hours ?? 0) | hours,
      });
    }
  }

  edges(): EdgeRow[] {
    return sortEdges([...this.#edges.values()]);
  }

  facts(): FactRow[] {
    return [...this.#facts.values()].toSorted((a, b) => (a.text < b.text ? -1 : 1));
  }

  /** The sum of the facts' counts, per edge. */
  factSums(): Map<string, number> {
    const sums = new Map<string, number>();
    for (const { edge, isEdge, flow_count } of this.#facts.values())
      if (isEdge) sums.set(edge, (sums.get(edge) ?? 0) + flow_count);
    return sums;
  }

  /** The ledger, sorted so that two can be compared. */
  ledgerRows(): [number, bigint[], bigint[]][] {
    const sorted = (hashes: HashSet) => [...hashes].toSorted((a, b) => (a < b ? -1 : 1));
    return [...this.ledger.values()]
      .toSorted((a, b) => a.startSeconds - b.startSeconds)
      .map(({ startSeconds, streamed, settled }) => [startSeconds, sorted(streamed), sorted(settled)]);
  }
}
