import pg from 'pg';
import { inject } from 'vitest';
import { openDatabase, type Database } from '../../src/trail/database.ts';
import { sortEdges, type EdgeRow } from './capture.ts';

export interface TestDatabase {
  url: string;
  database: Database;
  drop(): Promise<void>;
}

let count = 0;

/** A database of its own on the shared server, or another, empty: the worker or the test migrates it. */
export async function createTestDatabase(server = inject('postgresUrl')): Promise<TestDatabase> {
  const name = `test_${process.pid}_${Date.now()}_${(count += 1)}`;
  await administer(server, `create database ${name}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  const database = openDatabase({ url: url.href });
  return {
    url: url.href,
    database,
    async drop() {
      await database.close();
      await administer(server, `drop database ${name} with (force)`);
    },
  };
}

async function administer(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

export async function readEdges(database: Database): Promise<EdgeRow[]> {
  return sortEdges(
    await database.query<EdgeRow>(
      `select src_ns, dst_ns, action, extract(epoch from first_seen)::float8 as first_seen,
         extract(epoch from last_seen)::float8 as last_seen, flow_count::float8 as flow_count from edge`,
    ),
  );
}

/** Edges whose count is not the sum of their facts and what was taken over. */
export function readUnexplainedEdges(
  database: Database,
): Promise<{ edge: string; edge_count: number; facts: number }[]> {
  return database.query(
    `select e.src_ns || ' -> ' || e.dst_ns || ' ' || e.action as edge, e.flow_count::float8 as edge_count,
       coalesce(f.flow_count, 0)::float8 as facts, coalesce(a.flow_count, 0)::float8 as adopted
     from edge e
     left join (select src_ns, dst_ns, action, sum(flow_count) as flow_count from flow_facts
       where src_kind = 'workload' and dst_kind = 'workload' group by 1, 2, 3) f
       using (src_ns, dst_ns, action)
     left join edge_adopted a using (src_ns, dst_ns, action)
     where e.flow_count <> coalesce(f.flow_count, 0) + coalesce(a.flow_count, 0)`,
  );
}
