import type { Query } from '../trail/database/database.ts';
import { EdgeMap, type EdgeKey } from '../trail/edge-key.ts';

/**
 * Edges that are known to have a row, so that a record of any other edge is written at once. It contains at most
 * `limit` edges, because the number of edges can grow with the square of the number of namespaces. A missing edge
 * only causes an early merge.
 */
export class KnownEdges {
  readonly #limit: number;
  #edges = new EdgeMap<true>();
  #size = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  has(edge: EdgeKey): boolean {
    return this.#edges.get(edge) === true;
  }

  /** Beyond the limit, it is cleared; edges in use are soon added again. */
  add(edge: EdgeKey): void {
    if (this.has(edge)) return;
    if (this.#size >= this.#limit) {
      this.#edges = new EdgeMap<true>();
      this.#size = 0;
    }
    this.#edges.set(edge, true);
    this.#size += 1;
  }

  /** Adds the edges of the table, or the most recently seen ones if there are more than the limit. @throws DatabaseFailure */
  async load(query: Query): Promise<void> {
    const rows = await query<EdgeKey>(
      'select src_ns as "srcNs", dst_ns as "dstNs", action from edge order by last_seen desc limit $1',
      [this.#limit],
    );
    for (const edge of rows) this.add(edge);
  }
}
