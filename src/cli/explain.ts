import { Command } from 'commander';
import { isReservedName, networkLegend } from '../policy/derive/describe-ends.ts';
import { endMatcher, explainPair, namespaceText, type ExplainedFact } from '../policy/derive/explain.ts';
import type { EvidenceEnd } from '../policy/derive/model.ts';
import { isNamespaceName } from '../text/kubernetes-names.ts';
import { observedOf } from '../coverage/observed.ts';
import { readPeriodCoverage } from '../queries/observed-period.ts';
import { findUnknownIdentities, findUnknownNamespaces } from '../queries/unknown-names.ts';
import { readEvidenceAndTraces } from '../trail/facts/evidence.ts';
import { allEdges, queryEdges, type EdgeRow } from '../trail/edges/query-edges.ts';
import { readLimitedNamespaces } from '../trail/merge/identity-overflow.ts';
import {
  formatTable,
  formatTime,
  leftOutLines,
  mostRows,
  note,
  print,
  printOutput,
} from './output/output.ts';
import { withLastSeen, withSeenTimes } from './output/seen-times.ts';
import { observedText, periodText, readPeriod, withPeriod, type PeriodOptions } from './input/period.ts';
import { unknownNameTexts } from './output/unknown-names.ts';
import { withDatabase } from './connect/with-database.ts';

const endHelp =
  'namespace, namespace/service-identity, or an endpoint as printed by edges and staged (pub, pvt, host, or "namespace pub" for a namespace called pub)';

export function explainCommand(): Command {
  return withPeriod(
    new Command('explain')
      .description(
        'Show the flows of one pair of endpoints by port, identity, reporter and policy, with times and counts.',
      )
      .argument('<source>', endHelp)
      .argument('<destination>', endHelp),
  )
    .addHelpText(
      'after',
      `
Examples:
  flow-trail explain dashy dbaas
  flow-trail explain immich/server dbaas/postgres --since 7d
  flow-trail explain immich pub --json`,
    )
    .action(async (source: string, destination: string, { json, ...times }: PeriodOptions) => {
      const { explained, ends, notes, period, edges } = await askExplain(source, destination, times);
      for (const text of notes) note(text);
      if (json === true) return printOutput('explain', explained);
      print(`${source} to ${destination}, ${periodText(period)}\n`);
      if (explained.length === 0) print(withoutFacts(edges));
      else printPair(explained, ends);
    });
}

/** @throws UsageFailure, DatabaseFailure */
export async function askExplain(source: string, destination: string, times: Omit<PeriodOptions, 'json'>) {
  const period = readPeriod(times);
  const [isSource, isDestination] = [endMatcher(source), endMatcher(destination)];
  const asked = [source, destination].flatMap(namespaceIn);
  const [[srcNs], [dstNs]] = [namespaceIn(source), namespaceIn(destination)];
  const { ofPair, traced, unknown, observed, limited, edges } = await withDatabase(async (query) => {
    const notSeen = await findUnknownNamespaces(query, asked);
    const known = asked.filter((each) => !notSeen.some(({ name }) => name === each));
    // A namespace at one end limits the facts to read; if neither end has one, all facts are read.
    const namespaces = known.slice(0, 1);
    const filter = namespaces.length > 0 ? { namespaces } : {};
    const { facts, traced } = await readEvidenceAndTraces(query, { ...period, ...filter });
    const ofPair = facts.filter(({ src, dst }) => isSource(src) && isDestination(dst));
    return {
      unknown: [
        ...notSeen,
        ...(await findUnknownIdentities(query, [source, destination].flatMap(identityIn))),
      ],
      observed: observedOf(await readPeriodCoverage(query, period, new Date())),
      limited: await readLimitedNamespaces(query, period),
      edges:
        ofPair.length > 0 || srcNs === undefined || dstNs === undefined
          ? []
          : await queryEdges(query, { src: srcNs, dst: dstNs, limit: allEdges }),
      ofPair,
      traced,
    };
  });
  const ends = ofPair.flatMap(({ src, dst }) => [src, dst]);
  return {
    explained: explainPair(ofPair, traced).map(withTimes),
    ends,
    period,
    edges,
    notes: [
      ...unknownNameTexts(unknown),
      ...[...new Set(ends.map(({ ns }) => ns))].filter((ns) => limited.has(ns)).map(limitedText),
      ...(observed.gapCount > 0 ? [observedText(observed)] : []),
    ],
  };
}

type Explained = ReturnType<typeof withTimes>;

function withTimes({ decidedBy, ...fact }: ExplainedFact) {
  return { ...withSeenTimes(fact), decidedBy: decidedBy.map(withLastSeen) };
}

/** Edges are stored sooner and longer than flow facts. */
function withoutFacts(edges: readonly EdgeRow[]): string {
  return [
    '(no flow fact is stored for these days)',
    ...edges.map(
      ({ srcNs, dstNs, action, firstSeen, lastSeen }) =>
        `edge ${srcNs} -> ${dstNs} ${action}: first seen ${formatTime(firstSeen)}, last seen ${formatTime(lastSeen)}; flow facts follow about six minutes after a flow`,
    ),
  ].join('\n');
}

function printPair(explained: readonly Explained[], ends: readonly EvidenceEnd[]): void {
  print(
    formatTable(
      ['FROM', 'TO', 'PORT', 'REPORTED BY', 'ACTION', 'FIRST SEEN', 'LAST SEEN', 'DAYS', 'FLOWS'],
      explained.map(row),
    ),
  );
  print('\ndecided by:');
  printLines(
    explained.flatMap((fact) =>
      fact.decidedBy.map(
        ({ policy, flowCount, lastSeen }) =>
          `  ${fact.src} -> ${fact.dst} ${fact.port}, ${fact.reporter} ${fact.action}: ${policy} (${flowCount} flows, last ${formatTime(lastSeen)})`,
      ),
    ),
  );
  printLines(
    explained.flatMap(({ src: from, dst: to, port, note: text }) =>
      text === undefined ? [] : [`\n${from} -> ${to} ${port}: ${text}`],
    ),
  );
  const legend = networkLegend(ends);
  if (legend.length > 0) print(`\n${legend.join('\n')}`);
}

function printLines(lines: readonly string[]): void {
  for (const line of [...lines.slice(0, mostRows), ...leftOutLines(lines.length)]) print(line);
}

/** The namespace in `shop` and `shop/cart`; undefined for other endpoints, whose spelling is not checked. */
function namespaceIn(text: string): string[] {
  const [name = ''] = namespaceText(text).split('/');
  return isNamespaceName(name) && !isReservedName(text) ? [name] : [];
}

/** The service identity in `shop/cart`. */
function identityIn(text: string): string[] {
  const [name = '', ...identity] = namespaceText(text).split('/');
  return isNamespaceName(name) && identity.length > 0 ? [identity.join('/')] : [];
}

function limitedText(namespace: string): string {
  return `namespace ${namespace} has more service identities or network sets than are stored; a flow shown without one may have had one`;
}

function row({
  src,
  dst,
  port,
  reporter,
  action,
  firstSeen,
  lastSeen,
  days,
  flowCount,
}: Explained): string[] {
  return [
    src,
    dst,
    port,
    reporter === 'src' ? 'source' : reporter === 'dst' ? 'destination' : 'unknown',
    action,
    formatTime(firstSeen),
    formatTime(lastSeen),
    String(days),
    String(flowCount),
  ];
}
