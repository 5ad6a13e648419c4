import { peersIn, type Peer } from '../queries/peers.ts';
import { findUnknownIdentities, findUnknownNamespaces, type UnknownName } from '../queries/unknown-names.ts';
import type { Query } from '../trail/database/database.ts';
import { allEdges, queryEdges, type EdgeRow } from '../trail/edges/query-edges.ts';
import { readOtherDenials, type OtherDenials } from '../trail/facts/other-denials.ts';
import { queryFacts, type FactRow } from '../trail/facts/query-facts.ts';
import { counted } from '../text/counted.ts';
import type { ClusterAnswer, InCluster } from './clusters.ts';
import { parseLimit, parseNamespace, parsePort } from './input/parse-options.ts';
import { parsePast } from './input/parse-time.ts';
import { answerGapNotes } from './output/answer-gap-notes.ts';
import { usageFailure } from './input/usage-error.ts';

/** The options of `flow-trail edges`, as text. */
export interface EdgesQuestion {
  ns?: string | undefined;
  src?: string | undefined;
  dst?: string | undefined;
  peersOf?: string | undefined;
  since?: string | undefined;
  newSince?: string | undefined;
  silentSince?: string | undefined;
  action?: string | undefined;
  denied?: boolean | undefined;
  identity?: string | true | undefined;
  port?: string | true | undefined;
  reporter?: string | true | undefined;
  external?: boolean | undefined;
  withoutWorkload?: boolean | undefined;
  limit: string;
}

/** The rows found: one more than `limit` if there are more. */
type FoundEdges = { limit: number } & (
  | { name: 'edges'; rows: readonly EdgeRow[] }
  | { name: 'peers'; rows: readonly Peer[] }
  | { name: 'facts'; rows: readonly FactRow[] }
);

/** The rows of several clusters, or of a single one, whose rows have no cluster name. */
export type FoundInClusters = { limit: number } & (
  | { name: 'edges'; rows: readonly InCluster<EdgeRow>[] }
  | { name: 'peers'; rows: readonly InCluster<Peer>[] }
  | { name: 'facts'; rows: readonly InCluster<FactRow>[] }
);

/** Merges the results of several clusters in the same order: newest first, peers by name. */
export function mergeFound(answers: readonly ClusterAnswer<{ found: FoundEdges }>[]): FoundInClusters {
  const limit = answers[0]?.answer.found.limit ?? 0;
  const byAge = (a: { firstSeen: Date }, b: { firstSeen: Date }) =>
    b.firstSeen.getTime() - a.firstSeen.getTime();
  const edges: InCluster<EdgeRow>[] = [];
  const peers: InCluster<Peer>[] = [];
  const facts: InCluster<FactRow>[] = [];
  for (const { cluster, answer } of answers) {
    const { found } = answer;
    if (found.name === 'edges') edges.push(...found.rows.map((row) => ({ cluster, ...row })));
    if (found.name === 'peers') peers.push(...found.rows.map((row) => ({ cluster, ...row })));
    if (found.name === 'facts') facts.push(...found.rows.map((row) => ({ cluster, ...row })));
  }
  switch (answers[0]?.answer.found.name) {
    case 'peers':
      return {
        name: 'peers',
        limit,
        rows: peers.toSorted((a, b) =>
          a.namespace === b.namespace ? 0 : a.namespace < b.namespace ? -1 : 1,
        ),
      };
    case 'facts':
      return { name: 'facts', limit, rows: facts.toSorted(byAge) };
    default:
      return { name: 'edges', limit, rows: edges.toSorted(byAge) };
  }
}

interface EdgesAnswer {
  found: FoundEdges;
  unknown: UnknownName[];
  /** Present if only denied edges were requested: these denials belong to none. */
  otherDenials?: OtherDenials;
  /** Time since the one asked for that was not observed. */
  unobserved: string[];
}

/** Parses the options before connecting to anything. @throws UsageFailure */
export function readEdgesQuestion(question: EdgesQuestion): (query: Query) => Promise<EdgesAnswer> {
  const limit = parseLimit('--limit', question.limit);
  const ends = readEnds(question);
  const { since, newSince, withoutWorkload, peersOf } = question;
  const silentSince =
    question.silentSince === undefined ? undefined : parsePast('--silent-since', question.silentSince);
  const filter = {
    ...ends,
    ...(since === undefined ? {} : { seenSince: parsePast('--since', since) }),
    ...(newSince === undefined ? {} : { newSince: parsePast('--new-since', newSince) }),
    ...(silentSince === undefined ? {} : { silentSince }),
    ...readAction(question),
    ...(withoutWorkload === undefined ? {} : { withoutWorkload }),
  };
  if (filter.seenSince !== undefined && silentSince !== undefined && filter.seenSince >= silentSince)
    throw usageFailure('--silent-since', 'is not after --since; use a later time');
  const detail = readDetail(question);
  const find = async (query: Query): Promise<FoundEdges> => {
    if (detail !== undefined) {
      const rows = await queryFacts(query, { ...filter, ...detail, limit: limit + 1 });
      return { name: 'facts', limit, rows };
    }
    // Peers are counted over all edges, regardless of the limit.
    const rows = await queryEdges(query, { ...filter, limit: peersOf === undefined ? limit + 1 : allEdges });
    return peersOf === undefined
      ? { name: 'edges', limit, rows }
      : { name: 'peers', limit, rows: peersIn(rows, peersOf) };
  };
  return async (query) => ({
    found: await find(query),
    unknown: [
      ...(await findUnknownNamespaces(query, [ends.ns, ends.src, ends.dst])),
      ...(await findUnknownIdentities(query, [detail?.identity])),
    ],
    unobserved: await answerGapNotes(query, [filter.seenSince, filter.newSince, silentSince], {
      isOfFacts: detail !== undefined,
    }),
    ...(filter.action === 'deny' && !isNarrow(detail) && withoutWorkload !== true && silentSince === undefined
      ? { otherDenials: await readOtherDenials(query, filter) }
      : {}),
  });
}

/** Whether only some flow facts are requested: then a list of them is not taken for a list of all denials. */
function isNarrow(detail: ReturnType<typeof readDetail>): boolean {
  return detail !== undefined && (detail.external || Object.keys(detail).length > 1);
}

function readEnds({ ns, src, dst, peersOf }: EdgesQuestion): { ns?: string; src?: string; dst?: string } {
  if (peersOf !== undefined && ns !== undefined)
    throw usageFailure('--peers-of', 'cannot be combined with --ns; use one of them');
  return {
    ...(ns === undefined ? {} : { ns: parseNamespace('--ns', ns) }),
    ...(peersOf === undefined ? {} : { ns: parseNamespace('--peers-of', peersOf) }),
    ...(src === undefined ? {} : { src: parseNamespace('--src', src) }),
    ...(dst === undefined ? {} : { dst: parseNamespace('--dst', dst) }),
  };
}

function readAction({ action, denied }: EdgesQuestion): { action?: string } {
  if (denied !== true) return action === undefined ? {} : { action };
  if (action !== undefined && action !== 'deny')
    throw usageFailure('--denied', `contradicts --action ${action}; use one of them`);
  return { action: 'deny' };
}

/** Filters on flow facts; undefined if only edges are requested. */
function readDetail({ identity, port, reporter, external, peersOf, withoutWorkload }: EdgesQuestion) {
  if ([identity, port, reporter, external].every((option) => option === undefined)) return undefined;
  if (peersOf !== undefined || withoutWorkload === true)
    throw usageFailure(
      peersOf === undefined ? '--without-workload' : '--peers-of',
      'lists edges and cannot be combined with --identity, --port, --reporter or --external',
    );
  if (typeof reporter === 'string' && !['src', 'dst'].includes(reporter))
    throw usageFailure('--reporter', `cannot be "${reporter}"; use src or dst`);
  const { port: number, protocol } =
    typeof port === 'string' ? parsePort('--port', port) : { port: undefined, protocol: undefined };
  return {
    external: external ?? false,
    ...(typeof identity === 'string' ? { identity } : {}),
    ...(number === undefined ? {} : { port: number }),
    ...(protocol === undefined ? {} : { protocol }),
    ...(typeof reporter === 'string' ? { reporter } : {}),
  };
}

/** A list of denied edges would otherwise be taken for a list of all denials. */
export function otherDenialTexts(denials: OtherDenials | undefined): string[] {
  if (!denials) return [];
  const { external, within } = denials;
  return [
    ...(external > 0
      ? [
          `not listed: ${counted(external, 'denied flow fact')} to or from endpoints outside the cluster, such as DNS to a service address; --external lists them`,
        ]
      : []),
    ...(within.length > 0
      ? [
          `not listed: denied flows within ${within.join(', ')}; flow-trail explain NAMESPACE NAMESPACE shows them`,
        ]
      : []),
  ];
}
