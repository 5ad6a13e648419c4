import { manyPorts } from '../many-ports.ts';
import type { Query } from '../database/database.ts';
import { factGroupText, type FactKey } from '../record.ts';

const groupColumns =
  'src_kind, src_ns, src_identity, dst_kind, dst_ns, dst_identity, protocol, reporter, action';
const groupInput = `unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[])
  with ordinality as i(${groupColumns}, position)`;
const sameGroup = groupColumns
  .split(', ')
  .map((column) => `g.${column} = i.${column}`)
  .join(' and ');

function groupValues(groups: readonly FactKey[]): string[][] {
  return [
    groups.map(({ src }) => src.kind),
    groups.map(({ src }) => src.ns),
    groups.map(({ src }) => src.identity),
    groups.map(({ dst }) => dst.kind),
    groups.map(({ dst }) => dst.ns),
    groups.map(({ dst }) => dst.identity),
    groups.map(({ protocol }) => protocol),
    groups.map(({ reporter }) => reporter),
    groups.map(({ action }) => action),
  ];
}

/** The ids of the facts' groups by `factGroupText`. Missing groups are created. @throws DatabaseFailure */
export async function findGroups(query: Query, facts: readonly FactKey[]): Promise<Map<string, string>> {
  const groups = new Map(facts.map((fact) => [factGroupText(fact), fact]));
  const texts = [...groups.keys()];
  const values = groupValues([...groups.values()]);
  // Without the check, the identity column would consume a number for every existing row.
  await query(
    `insert into flow_group (${groupColumns})
     select ${groupColumns} from ${groupInput}
     where not exists (select from flow_group g where ${sameGroup})
     order by src_ns, dst_ns, src_kind, src_identity, dst_kind, dst_identity, protocol, reporter, action
     on conflict do nothing`,
    values,
  );
  const rows = await query<{ position: number; group_id: string }>(
    `select i.position::int, g.group_id from ${groupInput} join flow_group g on ${sameGroup}`,
    values,
  );
  const ids = new Map<string, string>();
  for (const { position, group_id } of rows) {
    const text = texts[position - 1];
    if (text !== undefined) ids.set(text, group_id);
  }
  return ids;
}

/** The ports in `flow_fact` of each group, in the order of the groups. @throws DatabaseFailure */
export async function readKnownPorts(query: Query, groups: readonly FactKey[]): Promise<Set<number>[]> {
  const rows = await query<{ position: number; ports: number[] }>(
    `select i.position::int, array_agg(f.port) as ports
     from ${groupInput} join flow_group g on ${sameGroup} join flow_fact f on f.group_id = g.group_id
     where f.port <> ${manyPorts} group by 1`,
    groupValues(groups),
  );
  const known = new Map(rows.map(({ position, ports }) => [position - 1, new Set(ports)]));
  return groups.map((_, index) => known.get(index) ?? new Set());
}
