import type { Query } from './database.ts';

/** Bytes of all tables of the trail, with their indexes and free space. @throws DatabaseFailure */
export async function readStorageBytes(query: Query): Promise<number> {
  const [row] = await query<{ bytes: number }>(
    `select coalesce(sum(pg_total_relation_size(oid)), 0)::float8 as bytes from pg_class
     where relkind = 'r' and relnamespace = (select relnamespace from pg_class where oid = 'edge'::regclass)`,
  );
  return row?.bytes ?? 0;
}
