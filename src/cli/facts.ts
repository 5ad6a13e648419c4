import { describeEnd, networkLegend } from '../policy/derive/describe-ends.ts';
import { portText } from '../policy/derive/rules.ts';
import type { FactRow } from '../trail/facts/query-facts.ts';
import { clusterCell, clusterHeader, type InCluster } from './clusters.ts';
import { formatTime, print, printTable } from './output/output.ts';

/** Goldmane's actions on a flow. */
export const flowActions = ['allow', 'deny', 'pass', 'unspecified'] as const;

/** One line per flow fact. */
export function printFacts(facts: readonly InCluster<FactRow>[], limit: number): void {
  printTable(
    [
      ...clusterHeader(facts),
      ...['FROM', 'TO', 'PORT', 'ACTION', 'REPORTER', 'FIRST SEEN', 'LAST SEEN', 'DAYS', 'FLOWS'],
    ],
    facts.map((fact) => [
      ...clusterCell(fact.cluster),
      describeEnd(fact.src),
      describeEnd(fact.dst),
      portText(fact),
      fact.action,
      fact.reporter,
      formatTime(fact.firstSeen),
      formatTime(fact.lastSeen),
      String(fact.days),
      fact.flowCount,
    ]),
    { limit },
  );
  const legend = networkLegend(facts.flatMap(({ src, dst }) => [src, dst]));
  if (legend.length > 0) print(`\n${legend.join('\n')}`);
}

/** A flow fact with the field names of --json. */
export function toJsonFact({ src, dst, ...rest }: InCluster<FactRow>) {
  return {
    srcKind: src.kind,
    srcNs: src.ns,
    srcIdentity: src.identity,
    dstKind: dst.kind,
    dstNs: dst.ns,
    dstIdentity: dst.identity,
    ...rest,
  };
}
