import { groupBy } from '../../text/order.ts';
import { manyPorts } from '../many-ports.ts';
import { pairOf, sourceOf } from '../fold/coarse-facts.ts';
import { sharePairs, sumOf } from '../fold/fair-share.ts';
import type { ListedGroup } from '../fold/listed-facts.ts';
import { ListedRecords } from '../fold/listed-records.ts';
import type { BucketBatch, FactKey } from '../record.ts';

/** The maximum number of ports per group, as a multiple of the port cap; housekeeping folds those that do not recur. */
export const portSlack = 4;
/** The number of crowded groups whose known ports are looked up, starting with those with the most ports. */
const groupsAsked = 1_000;

/**
 * Limits the facts of one bucket to what fits in memory and to what its groups may have; a port scan exceeds both.
 * Excess ports are stored as "many". Ports that the group already has are kept first, so a scan does not hide a port in
 * use. If that is not enough, policy traces are stored as "other". A bucket that does not fit is shared fairly between source
 * namespaces, and the share of each between its destinations: those with few facts keep all of them, so a scan does not coarsen the
 * facts of others. Changes the records in place.
 * @param maxFacts facts under distinct policy traces, per bucket
 * @param knownPorts the stored ports of each group, in the order of the groups
 * @returns the number of changed facts, including those that lost detail while the response was folded
 * @throws whatever `knownPorts` throws
 */
export async function limitFacts(
  batches: readonly BucketBatch[],
  { portCap, maxFacts }: { portCap: number; maxFacts: number },
  knownPorts: (groups: readonly FactKey[]) => Promise<readonly ReadonlySet<number>[]>,
): Promise<number> {
  let coarse = 0;
  for (const { records } of batches) {
    if (!(records instanceof ListedRecords)) continue;
    coarse += records.coarsened;
    const groups = records.groups();
    // Ports that were replaced by "many" count too: they may be under many traces.
    const isOver = records.cells > maxFacts;
    const limitOf = isOver ? pairLimits(groups, portCap * portSlack, maxFacts) : () => portCap * portSlack;
    const crowded = groups
      .map((group, number) => ({ ...group, number, limit: limitOf(group.fact) }))
      .filter(({ ports, limit }) => ports.size > limit)
      .sort((a, b) => b.ports.size - a.ports.size);
    if (crowded.length > 0) {
      const known = await knownPorts(crowded.slice(0, groupsAsked).map(({ fact }) => fact));
      const kept = new Map(
        crowded.map(({ number, ports, limit }, index) => [number, keptPorts(ports, known[index], limit)]),
      );
      coarse += records.replacePorts((group, port) => kept.get(group)?.has(port) ?? true, manyPorts);
    }
    if (isOver) coarse += limitTraces(records, groups, maxFacts);
  }
  return coarse;
}

/** The number of ports that a group may keep, by its pair of namespaces. */
function pairLimits(
  groups: readonly ListedGroup[],
  most: number,
  maxFacts: number,
): (fact: FactKey) => number {
  const entries = groups.map((group) => ({ group, pair: pairOf(group.fact) }));
  const shares = sharePairs(
    entries.map(({ group: { fact, ports }, pair }) => ({
      source: sourceOf(fact),
      pair,
      size: sumOf(ports.values()),
    })),
    maxFacts,
  );
  const limits = new Map(
    [...groupBy(entries, ({ pair }) => pair)].map(([pair, own]) => [
      pair,
      portLimit(
        own.map(({ group }) => group),
        most,
        shares.ofPair(pair),
      ),
    ]),
  );
  return (fact) => limits.get(pairOf(fact)) ?? 0;
}

/** @returns the number of facts that lost their policy trace */
function limitTraces(records: ListedRecords, groups: readonly ListedGroup[], maxFacts: number): number {
  const facts = records.countFacts();
  if (sumOf(facts) <= maxFacts) return 0;
  const pairs = groups.map(({ fact }) => pairOf(fact));
  const shares = sharePairs(
    groups.map(({ fact }, number) => ({
      source: sourceOf(fact),
      pair: pairs[number] ?? '',
      size: facts[number] ?? 0,
    })),
    maxFacts,
  );
  return records.dropTraces((group) => shares.ofPair(pairs[group] ?? '') === Number.POSITIVE_INFINITY);
}

/** The number of ports each group may keep; halved until all groups together fit. Pure. */
export function portLimit(groups: readonly ListedGroup[], most: number, maxFacts: number): number {
  for (let limit = most; limit > 0; limit = Math.floor(limit / 2)) {
    let facts = 0;
    for (const { ports } of groups) {
      let ofGroup = 0;
      for (const traces of ports.values()) ofGroup += traces;
      const tracesPerPort = Math.ceil(ofGroup / Math.max(1, ports.size));
      facts += ports.size <= limit ? ofGroup : (limit + 1) * tracesPerPort;
    }
    if (facts <= maxFacts) return limit;
  }
  return 0;
}

/** Known ports first, then the lowest. */
function keptPorts(
  ports: ReadonlyMap<number, number>,
  known: ReadonlySet<number> | undefined,
  limit: number,
): Set<number> {
  const ordered = [...ports.keys()].sort(
    (a, b) => Number(known?.has(b) ?? false) - Number(known?.has(a) ?? false) || a - b,
  );
  return new Set([...ordered.filter((port) => port !== manyPorts).slice(0, limit), manyPorts]);
}
