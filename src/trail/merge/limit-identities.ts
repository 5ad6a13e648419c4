import type { Query } from '../database/database.ts';
import type { FactDelta } from './merge-plan.ts';
import { withoutIdentity, type FactEnd } from '../record.ts';

/** Identities that were not seen for this many days do not count against the limit. */
const countedDays = 30;

interface Limited {
  deltas: FactDelta[];
  /** The number of changes whose fact lost an identity, and the namespaces of these identities, sorted. */
  limitedFacts: number;
  limitedNamespaces: string[];
}

interface Identity {
  end: FactEnd;
  /** Its newest day in the changes, whole days since the Unix epoch. */
  day: number;
  /** Records. */
  count: number;
}

/**
 * Removes identities beyond the limit of their namespace: service identities and network sets are chosen by its owner, and their number
 * must not make the trail grow without a limit. Identities of the last thirty days are kept, so each namespace gets room
 * for new ones again. Global network sets are not limited, because only the owner of the cluster creates them.
 * @param cap identities per namespace and kind
 * @throws DatabaseFailure
 */
export async function limitIdentities(
  query: Query,
  deltas: FactDelta[],
  { cap }: { cap: number },
): Promise<Limited> {
  const identities = identitiesOf(deltas);
  if (identities.size === 0) return { deltas, limitedFacts: 0, limitedNamespaces: [] };
  let lastDays = await readLastDays(query, identities);
  const isCounted = ([text, { day }]: [string, Identity]) =>
    (lastDays.get(text) ?? Number.NEGATIVE_INFINITY) > day - countedDays;
  let fresh = [...identities].filter((entry) => !isCounted(entry));
  const refused = new Set<string>();
  if (fresh.length > 0) {
    // Counting a namespace's identities and adding one must not interleave with another worker doing the same.
    await query('lock table end_identity in share row exclusive mode');
    lastDays = await readLastDays(query, identities);
    fresh = [...identities].filter((entry) => !isCounted(entry));
    for (const text of await refusedOf(query, fresh, lastDays, cap)) refused.add(text);
  }
  await writeLastDays(
    query,
    [...identities].flatMap(([text, identity]) =>
      refused.has(text) || (lastDays.get(text) ?? Number.NEGATIVE_INFINITY) >= identity.day ? [] : [identity],
    ),
  );
  if (refused.size === 0) return { deltas, limitedFacts: 0, limitedNamespaces: [] };
  const limitedNamespaces = [
    ...new Set([...identities].flatMap(([text, { end }]) => (refused.has(text) ? [end.ns] : []))),
  ].toSorted();
  const limit = (end: FactEnd) => (refused.has(identityText(end)) ? withoutIdentity(end) : end);
  let limitedFacts = 0;
  const limited = deltas.map((delta) => {
    const { fact } = delta;
    const [src, dst] = [limit(fact.src), limit(fact.dst)];
    if (src === fact.src && dst === fact.dst) return delta;
    limitedFacts += 1;
    return { ...delta, fact: { ...fact, src, dst } };
  });
  return { deltas: limited, limitedFacts, limitedNamespaces };
}

function identityText({ kind, ns, identity }: FactEnd): string {
  return `${ns}\n${kind}\n${identity}`;
}

function identitiesOf(deltas: readonly FactDelta[]): Map<string, Identity> {
  const identities = new Map<string, Identity>();
  for (const { fact, day, count } of deltas)
    for (const end of [fact.src, fact.dst]) {
      if (end.ns === '' || end.identity === '' || (end.kind !== 'workload' && end.kind !== 'networkset'))
        continue;
      const text = identityText(end);
      const known = identities.get(text);
      if (known) {
        known.day = Math.max(known.day, day);
        known.count += count;
      } else identities.set(text, { end, day, count });
    }
  return identities;
}

function columnsOf(
  identities: Iterable<{ end: FactEnd }>,
): [ns: string[], kind: string[], identity: string[]] {
  const ends = [...identities].map(({ end }) => end);
  return [ends.map(({ ns }) => ns), ends.map(({ kind }) => kind), ends.map(({ identity }) => identity)];
}

/** By text; whole days since the epoch. */
async function readLastDays(
  query: Query,
  identities: ReadonlyMap<string, Identity>,
): Promise<Map<string, number>> {
  const texts = [...identities.keys()];
  const rows = await query<{ position: number; last_day: number }>(
    `select i.position::int, e.last_day - date 'epoch' as last_day
     from unnest($1::text[], $2::text[], $3::text[]) with ordinality as i(ns, kind, identity, position)
     join end_identity e using (ns, kind, identity)`,
    columnsOf(identities.values()),
  );
  return new Map(rows.map(({ position, last_day }) => [texts[position - 1] ?? '', last_day]));
}

/** The new identities for which there is no room: those seen before come first, then those with the most records. */
async function refusedOf(
  query: Query,
  fresh: readonly [text: string, identity: Identity][],
  lastDays: ReadonlyMap<string, number>,
  cap: number,
): Promise<string[]> {
  const newest = fresh.reduce((day, [, identity]) => Math.max(day, identity.day), 0);
  const [namespaces, kinds] = columnsOf(fresh.map(([, identity]) => identity));
  const rows = await query<{ ns: string; kind: string; counted: number }>(
    `select ns, kind, count(*)::int as counted from end_identity
     where (ns, kind) in (select * from unnest($1::text[], $2::text[])) and last_day > date 'epoch' + $3::int - ${countedDays}
     group by 1, 2`,
    [namespaces, kinds, newest],
  );
  const counted = new Map(rows.map((row) => [`${row.ns}\n${row.kind}`, row.counted]));
  const order = (text: string, { count }: Identity) => [lastDays.get(text) ?? -1, count] as const;
  const ordered = fresh.toSorted(([a, one], [b, other]) => {
    const [[dayA, countA], [dayB, countB]] = [order(a, one), order(b, other)];
    return dayB - dayA || countB - countA || (a < b ? -1 : 1);
  });
  return ordered.flatMap(([text, { end }]) => {
    const key = `${end.ns}\n${end.kind}`;
    const before = counted.get(key) ?? 0;
    if (before >= cap) return [text];
    counted.set(key, before + 1);
    return [];
  });
}

async function writeLastDays(query: Query, identities: readonly Identity[]): Promise<void> {
  if (identities.length === 0) return;
  await query(
    `insert into end_identity as e (ns, kind, identity, last_day)
     select ns, kind, identity, date 'epoch' + day
     from unnest($1::text[], $2::text[], $3::text[], $4::int[]) as i(ns, kind, identity, day) order by 1, 2, 3
     on conflict (ns, kind, identity) do update set last_day = greatest(e.last_day, excluded.last_day)`,
    [...columnsOf(identities), identities.map(({ day }) => day)],
  );
}
