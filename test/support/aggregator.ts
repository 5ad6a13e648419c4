import type { Database } from '../../src/trail/database/database.ts';

/** The fields of a streamed record that goldmane-edge-aggregator uses. */
interface AggregatedFlow {
  dstNs: string;
  startSeconds: number;
  action?: string;
}

/** A model of goldmane-edge-aggregator: its table, statements and digest. It has no ledger. */
export class Aggregator {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Creates the table if it does not exist, as at every start. */
  async start(): Promise<void> {
    await this.#database.query(
      `create table if not exists edge (src_ns text, dst_ns text, action text, first_seen timestamptz,
         last_seen timestamptz, flow_count bigint, primary key (src_ns, dst_ns, action))`,
    );
  }

  /** Counts one record from namespace a. */
  async count({ dstNs, startSeconds, action = 'allow' }: AggregatedFlow): Promise<void> {
    await this.#database.query(
      `insert into edge (src_ns, dst_ns, action, first_seen, last_seen, flow_count)
       values ('a', $1, $2, to_timestamp($3), to_timestamp($4), 1)
       on conflict (src_ns, dst_ns, action) do update set
         first_seen = least(edge.first_seen, excluded.first_seen),
         last_seen = greatest(edge.last_seen, excluded.last_seen), flow_count = edge.flow_count + 1`,
      [dstNs, action, startSeconds, startSeconds + 15],
    );
  }

  /** The edges that its digest announces: those first seen in the last day. */
  async newEdges(nowSeconds: number): Promise<string[]> {
    const rows = await this.#database.query<{ dst_ns: string }>(
      `select dst_ns from edge where first_seen > to_timestamp($1) - interval '24 hours' order by 1`,
      [nowSeconds],
    );
    return rows.map(({ dst_ns }) => dst_ns);
  }
}
