import { daySeconds } from '../time/units.ts';
import { iso } from '../time/iso.ts';
import type { Config } from '../config/config.ts';
import { decisionsOf } from '../policy/derive/explain.ts';
import { describeEnd } from '../policy/derive/describe-ends.ts';
import { portText } from '../policy/derive/rules.ts';
import { stagedVerdicts } from '../policy/derive/staged.ts';
import { readCoverage, type CoverageStretch } from '../trail/coverage-ranges/coverage.ts';
import { edgeKey } from '../reports/edge-diff.ts';
import type { Query } from '../trail/database/database.ts';
import type { FactEnd } from '../trail/record.ts';
import { readEvidenceAndTraces, type DayPeriod, type FlowEvidence } from '../trail/facts/evidence.ts';
import { readEdgeIdentities, readExternalPairs } from '../trail/edges/map-edges.ts';
import { allEdges, queryEdges, type EdgeRow } from '../trail/edges/query-edges.ts';
import { readDiff } from './diff.ts';
import type { DetailRow, MapChanges, MapData, MapEdge, NamespaceDetail } from './map-data.ts';
import { readCompleteness } from './completeness.ts';
/** Time range of the coverage strip. */
const coverageDays = 30;
/** Time range of a namespace's rows. */
const detailDays = 30;
/** Maximum number of facts shown per namespace, newest first; beyond it, the detail is marked as truncated. */
const maxDetailRows = 2_000;
/** Maximum number of pairs of a namespace and an endpoint outside the cluster, newest first. */
const maxExternals = 5_000;
/** An edge without a flow for more days than this has fallen silent. */
export const mapSilentDays = 7;

interface MapSettings {
  config: Pick<Config, 'jobs' | 'clock'>;
  cluster: string;
  temporalUiUrl: string | undefined;
}

/** The whole map without the details of its namespaces. Read-only. @throws DatabaseFailure */
export async function readMap(query: Query, settings: MapSettings): Promise<Omit<MapData, 'isFile'>> {
  const { config } = settings;
  const nowSeconds = config.clock.now() / 1000;
  const [edges, identities, externals, completeness, coverage] = [
    await queryEdges(query, { limit: allEdges }),
    await readEdgeIdentities(query),
    await readExternalPairs(query, {
      fromDay: Math.floor(nowSeconds / daySeconds) + 1 - detailDays,
      limit: maxExternals,
    }),
    await readCompleteness({ database: { query }, config }),
    await readCoverage(query, nowSeconds - coverageDays * daySeconds, nowSeconds),
  ];
  const identitiesOf = new Map(identities.map((entry) => [edgeKey(entry), entry.identities]));
  const requiredDays = completeness.thresholds.minimumDays;
  return {
    madeAt: iso(nowSeconds),
    timeZone: config.jobs.timeZone,
    cluster: settings.cluster,
    temporalUiUrl: settings.temporalUiUrl ?? null,
    trailBegan: completeness.trailBegan?.toISOString() ?? null,
    namespaces: completeness.namespaces.map(
      ({ namespace, verdict, watchedSince, lastSeen, coveredDays }) => ({
        name: namespace,
        firstSeen: watchedSince?.toISOString() ?? null,
        lastSeen: lastSeen?.toISOString() ?? null,
        verdict: watchedSince === null ? null : verdict,
        coveredDays,
        requiredDays,
      }),
    ),
    edges: edges.map((edge) => toMapEdge(edge, identitiesOf.get(edgeKey(edge)))),
    externals: externals.map(({ src, dst, ...rest }) =>
      toMapEdge({ srcNs: labelOf(src), dstNs: labelOf(dst), ...rest }, rest.identities),
    ),
    externalDays: detailDays,
    coverage: coverage.map(toStretch),
  };
}

/** No namespace name can look like this, so a namespace called `pub` is not confused with public addresses. */
function labelOf(end: FactEnd): string {
  return end.kind === 'workload' ? end.ns : `${describeEnd(end)} (outside)`;
}

/** The changes between two times, computed as in `flow-trail diff`. @throws DatabaseFailure */
export async function readMapChanges(
  query: Query,
  question: { from: Date; to: Date; silentDays: number },
): Promise<MapChanges> {
  const diff = await readDiff(query, question);
  const toEdges = (edges: readonly EdgeRow[]) => edges.map((edge) => toMapEdge(edge));
  return {
    from: diff.from.toISOString(),
    to: diff.to.toISOString(),
    silentDays: diff.silentDays,
    notCovered: diff.notCovered,
    appeared: toEdges(diff.appeared),
    fellSilent: toEdges(diff.fellSilent),
    allowedToDenied: toEdges(diff.allowedToDenied),
    deniedToAllowed: toEdges(diff.deniedToAllowed),
    newPorts: diff.newPorts.map(({ src, dst, ports, action, firstSeen }) => ({
      src,
      dst,
      ports,
      action,
      firstSeen: firstSeen.toISOString(),
    })),
  };
}

function toMapEdge(
  { srcNs, dstNs, action, firstSeen, lastSeen, flowCount }: EdgeRow,
  identities: readonly string[] = [],
): MapEdge {
  return {
    src: srcNs,
    dst: dstNs,
    action,
    firstSeen: firstSeen.toISOString(),
    lastSeen: lastSeen.toISOString(),
    flows: flowCount,
    ...(identities.length === 0 ? {} : { identities: [...identities] }),
  };
}

function toStretch({ fromSeconds, toSeconds, state, cause }: CoverageStretch) {
  return { from: iso(fromSeconds), to: iso(toSeconds), state, ...(cause === undefined ? {} : { cause }) };
}

/** The flow facts of one namespace, newest first. @throws DatabaseFailure */
export async function readNamespaceDetail(
  query: Query,
  namespace: string,
  nowSeconds: number,
): Promise<NamespaceDetail> {
  const toDay = Math.floor(nowSeconds / daySeconds) + 1;
  const period: DayPeriod = { fromDay: toDay - detailDays, toDay };
  const { facts, traced } = await readEvidenceAndTraces(query, { ...period, namespaces: [namespace] });
  const own = facts.flatMap((fact) => {
    const rows: [FlowEvidence, DetailRow['direction']][] = [];
    if (fact.src.ns === namespace) rows.push([fact, 'out']);
    if (fact.dst.ns === namespace) rows.push([fact, 'in']);
    return rows;
  });
  const decidedBy = decisionsOf(traced);
  const staged = new Map(
    stagedVerdicts(traced).disagreements.map(({ enforced, pending, ...row }) => [
      keyOf({ ...row, action: enforced }),
      pending,
    ]),
  );
  const rows = own
    .map(([fact, direction]): DetailRow => {
      const [self, other] = direction === 'out' ? [fact.src, fact.dst] : [fact.dst, fact.src];
      const { action, reporter } = fact;
      const port = portText(fact);
      const key = keyOf({ src: describeEnd(fact.src), dst: describeEnd(fact.dst), port, reporter, action });
      return {
        direction,
        peer: describeEnd(other),
        peerNamespace: other.kind === 'workload' ? other.ns : '',
        identity: self.identity,
        port,
        action,
        reporter,
        firstSeen: iso(fact.firstSeconds),
        lastSeen: iso(fact.lastSeconds),
        days: fact.days.length,
        flows: fact.flowCount,
        policies: decidedBy(fact).map(({ policy }) => policy),
        staged: staged.get(key) ?? null,
      };
    })
    .toSorted((a, b) => (a.lastSeen < b.lastSeen ? 1 : -1));
  return {
    name: namespace,
    periodDays: detailDays,
    isCut: rows.length > maxDetailRows,
    rows: rows.slice(0, maxDetailRows),
  };
}

interface KeyParts {
  src: string;
  dst: string;
  port: string;
  reporter: string;
  action: string;
}

function keyOf({ src, dst, port, reporter, action }: KeyParts): string {
  return [src, dst, port, reporter, action].join('\n');
}
