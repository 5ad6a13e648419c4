import { manyPorts } from './many-ports.ts';
import { ListedRecords, type ListedGroup } from './listed-records.ts';
import type { BucketBatch, FactKey } from './record.ts';

/** The maximum number of ports per group, as a multiple of the port cap; housekeeping folds those that do not recur. */
export const portSlack = 4;
/** The number of crowded groups whose known ports are looked up, starting with those with the most ports. */
const groupsAsked = 1_000;

/**
 * Limits the facts of one bucket to what fits in memory and to what its groups may have; a port scan exceeds both.
 * Excess ports are stored as "many". Ports that the group already has are kept first, so a scan does not hide a port in
 * use. If that is not enough, policy traces are stored as "other". A bucket that does not fit is shared fairly between source
 * namespaces: those with few facts keep all of them, so a scan does not coarsen the facts of others. Changes the records in
 * place.
 * @param maxFacts facts under distinct policy traces, per bucket
 * @param knownPorts the stored ports of each group, in the order of the groups
 * @returns the number of changed facts
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
    const groups = records.groups().map((group, number) => ({ ...group, number, source: sourceOf(group) }));
    const bySource = new Map<string, ListedGroup[]>();
    for (const group of groups) {
      const own = bySource.get(group.source);
      if (own) own.push(group);
      else bySource.set(group.source, [group]);
    }
    const share = fairShare([...bySource.values()].map(countCells), maxFacts);
    const limits = new Map(
      [...bySource].map(([source, own]) => [source, portLimit(own, portCap * portSlack, share)]),
    );
    const limitOf = (source: string) => limits.get(source) ?? 0;
    const crowded = groups
      .filter(({ ports, source }) => ports.size > limitOf(source))
      .sort((a, b) => b.ports.size - a.ports.size);
    if (crowded.length > 0) {
      const known = await knownPorts(crowded.slice(0, groupsAsked).map(({ fact }) => fact));
      const kept = new Map(
        crowded.map(({ number, ports, source }, index) => [
          number,
          keptPorts(ports, known[index], limitOf(source)),
        ]),
      );
      coarse += records.replacePorts((group, port) => kept.get(group)?.has(port) ?? true, manyPorts);
    }
    const facts = records.countFacts();
    const bySize = sumBy(groups, ({ source, number }) => [source, facts[number] ?? 0]);
    const isOver = sumOf(facts) > maxFacts;
    if (isOver)
      coarse += records.dropTraces((group) => (bySize.get(groups[group]?.source ?? '') ?? 0) <= share);
  }
  return coarse;
}

function sourceOf({ fact: { src } }: ListedGroup): string {
  return `${src.kind} ${src.ns}`;
}

function countCells(groups: readonly ListedGroup[]): number {
  return sumOf(groups.map(({ ports }) => sumOf(ports.values())));
}

function sumOf(numbers: Iterable<number>): number {
  let sum = 0;
  for (const number of numbers) sum += number;
  return sum;
}

function sumBy<Entry>(
  entries: readonly Entry[],
  of: (entry: Entry) => readonly [key: string, value: number],
): Map<string, number> {
  const sums = new Map<string, number>();
  for (const entry of entries) {
    const [key, value] = of(entry);
    sums.set(key, (sums.get(key) ?? 0) + value);
  }
  return sums;
}

/** The most that each may have so that all fit: the small ones keep everything, the large ones share the rest equally. Pure. */
export function fairShare(sizes: readonly number[], capacity: number): number {
  let left = capacity;
  for (const [at, size] of sizes.toSorted((a, b) => a - b).entries()) {
    const share = Math.floor(left / (sizes.length - at));
    if (size > share) return share;
    left -= size;
  }
  return capacity;
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
