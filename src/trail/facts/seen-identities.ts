import type { Query } from '../database/database.ts';

/** Those of the given service identities, or other names of an end, that any flow fact has; unordered. @throws DatabaseFailure */
export async function seenIdentities(query: Query, identities: readonly string[]): Promise<string[]> {
  const rows = await query<{ identity: string }>(
    `select identity from unnest($1::text[]) as wanted(identity)
     where identity <> '' and exists (select from flow_group where identity in (src_identity, dst_identity))`,
    [identities],
  );
  return rows.map(({ identity }) => identity);
}

/** Every service identity, and every other name of an end, of any flow fact; unordered. @throws DatabaseFailure */
export async function allIdentities(query: Query): Promise<string[]> {
  const rows = await query<{ identity: string }>(
    `select identity from (select src_identity from flow_group union select dst_identity from flow_group) as ends(identity)
     where identity <> ''`,
  );
  return rows.map(({ identity }) => identity);
}
