import type { Query } from '../database/database.ts';

/** Those of the given namespaces that were seen at an end of any flow, unordered. @throws DatabaseFailure */
export async function seenNamespaces(query: Query, namespaces: readonly string[]): Promise<string[]> {
  const rows = await query<{ namespace: string }>(
    `select namespace from unnest($1::text[]) as wanted(namespace)
     where exists (select from flow_group where namespace in (src_ns, dst_ns))
        or exists (select from edge where namespace in (src_ns, dst_ns))`,
    [namespaces],
  );
  return rows.map(({ namespace }) => namespace);
}

/** Every namespace seen at an end of any flow, unordered. @throws DatabaseFailure */
export async function allNamespaces(query: Query): Promise<string[]> {
  const rows = await query<{ namespace: string }>(
    `select namespace from (select src_ns from edge union select dst_ns from edge
       union select src_ns from flow_group union select dst_ns from flow_group) as ends(namespace)
     where namespace <> ''`,
  );
  return rows.map(({ namespace }) => namespace);
}
