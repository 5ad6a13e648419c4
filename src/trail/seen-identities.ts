import type { Query } from './database.ts';

/** Every service identity, and every other name of an end, of any flow fact; unordered. @throws DatabaseFailure */
export async function allIdentities(query: Query): Promise<string[]> {
  const rows = await query<{ identity: string }>(
    `select identity from (select src_identity from flow_group union select dst_identity from flow_group) as ends(identity)
     where identity <> ''`,
  );
  return rows.map(({ identity }) => identity);
}
