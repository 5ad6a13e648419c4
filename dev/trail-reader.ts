import { readFile } from 'node:fs/promises';
import pg from 'pg';
import { errorCode, errorText } from '../src/failure/thrown.ts';

export interface SeenEdge {
  srcNs: string;
  dstNs: string;
  action: string;
}

/** The state of the trail that the live view shows. */
export interface TrailSnapshot {
  edges: readonly SeenEdge[];
  records: number;
  /** End of the newest bucket with counted records. */
  newestEndSeconds: number | undefined;
  lastMergeMs: number | undefined;
  /** Buckets of the last hour, by state. */
  coverage: { final: number; settled: number; streamed: number; gap: number };
  /** The last reason why Goldmane could not be read, if recent. */
  trouble: string | undefined;
}

/** Reads the trail over its own connection, and reconnects when the connection is lost. */
export interface TrailReader {
  /** Undefined while there is no schema yet. Throws the database's error. */
  read(): Promise<TrailSnapshot | undefined>;
  close(): Promise<void>;
}

const OF_LEDGER = `
  select
    (select extract(epoch from max(bucket)) + 15 from bucket_ledger where streamed <> '' or settled <> '')::float8 as newest,
    (select extract(epoch from max(merged_at)) * 1000 from bucket_ledger)::float8 as merged,
    count(*) filter (where final_at is not null)::int as final,
    count(*) filter (where final_at is null and settled_at is not null)::int as settled,
    count(*) filter (where final_at is null and settled_at is null and streamed_whole)::int as streamed,
    count(*) filter (where final_at is null and settled_at is null and not streamed_whole
      and gap_cause is not null)::int as gap,
    (select trouble from trail_state where trouble_at > now() - interval '1 minute') as trouble
  from bucket_ledger where bucket > now() - interval '1 hour'`;

interface LedgerRow {
  final: number;
  settled: number;
  streamed: number;
  gap: number;
  newest: number | null;
  merged: number | null;
  trouble: string | null;
}

/** @param source the URL, or the file that contains it (read again after a password rotation) */
export function openTrailReader(source: { url: string } | { urlFile: string }): TrailReader {
  let client: pg.Client | undefined;
  let known: { count: number; edges: SeenEdge[] } = { count: -1, edges: [] };

  const connected = async (): Promise<pg.Client> => {
    if (client) return client;
    const url = 'url' in source ? source.url : (await readFile(source.urlFile, 'utf8')).trim();
    const made = new pg.Client({
      connectionString: url,
      application_name: 'flow-trail npm start',
      connectionTimeoutMillis: 5_000,
      query_timeout: 10_000,
    });
    made.on('error', () => {
      client = undefined;
    });
    await made.connect();
    client = made;
    return made;
  };

  return {
    async read() {
      const database = await connected();
      try {
        const { rows: totals } = await database.query<{ edges: number; records: number }>(
          'select count(*)::int as edges, coalesce(sum(flow_count), 0)::float8 as records from edge',
        );
        const { edges = 0, records = 0 } = totals[0] ?? {};
        if (edges !== known.count) {
          const { rows } = await database.query<SeenEdge>(
            'select src_ns as "srcNs", dst_ns as "dstNs", action from edge order by first_seen, src_ns, dst_ns',
          );
          known = { count: rows.length, edges: rows };
        }
        const { rows } = await database.query<LedgerRow>(OF_LEDGER);
        const ledger = rows[0];
        if (!ledger) return undefined;
        const { newest, merged, trouble, ...coverage } = ledger;
        return {
          edges: known.edges,
          records,
          newestEndSeconds: newest ?? undefined,
          lastMergeMs: merged ?? undefined,
          coverage,
          trouble: trouble ?? undefined,
        };
      } catch (error) {
        // undefined_table: the worker has not migrated yet.
        if (errorCode(error) === '42P01') return undefined;
        client = undefined;
        await database.end().catch(() => undefined);
        throw new Error(`the database does not respond (${errorText(error)})`, { cause: error });
      }
    },
    async close() {
      await client?.end().catch(() => undefined);
      client = undefined;
    },
  };
}
