import { createHash } from 'node:crypto';
import { daySeconds } from '../time/units.ts';
import { isQueryFormat, type AllowlistFormat, type AllowlistInput } from '../policy/derive/input.ts';
import { allDnsWarnings } from '../policy/derive/dns-warnings.ts';
import { deriveAllowlist } from '../policy/derive/derive.ts';
import { answerEdgeQuery, type AllowlistEdge, type TableFormat } from '../policy/derive/edge-queries.ts';
import { emitPolicies, type Artefact, type PolicyKind } from '../policy/derive/emit.ts';
import type { DerivedPolicy } from '../policy/derive/model.ts';
import { dayText } from '../policy/derive/sighting.ts';
import { namespaceJudge } from '../policy/derive/status.ts';
import { traceFindings } from '../policy/derive/trace-findings.ts';
import { counted } from '../text/counted.ts';

import type { Thresholds, Verdict } from '../coverage/verdict.ts';
import { readPeriodCoverage } from './observed-period.ts';
import { readEdgePairs } from '../trail/edges/allowlist-edges.ts';
import type { Query } from '../trail/database/database.ts';
import { readEvidenceAndTraces, type DayPeriod } from '../trail/facts/evidence.ts';
import { readLimitedNamespaces } from '../trail/merge/identity-overflow.ts';

/** The result of a derivation; the artefacts are in Postgres. */
export interface AllowlistSummary {
  /** Identifies the stored allowlist: a digest of its input and files. */
  readonly allowlistId: string;
  readonly format: AllowlistFormat;
  readonly files: number;
  readonly policies: number;
  readonly rules: number;
  /** Observed combinations of peer, protocol and port without a rule: external endpoints, denied flows, many ports. */
  readonly leftOut: number;
  readonly warnings: number;
  /** Warnings that concern several files, as sentences. */
  readonly notices: readonly string[];
  /** Namespaces by verdict. */
  readonly verdicts: Readonly<Record<Verdict, number>>;
  /** Requested namespaces without a policy, at most 20 by name. */
  readonly without: readonly { readonly namespace: string; readonly why: string }[];
  readonly withoutCount: number;
}

export interface MadeAllowlist {
  readonly summary: AllowlistSummary;
  readonly artefacts: readonly Artefact[];
}

/** The worker's own settings. */
interface AllowlistSettings {
  /** The pod label with the service identity. */
  readonly identityLabel: string;
  /** CLUSTER_NAME, for the header of policies; omitted if empty. */
  readonly clusterName: string;
  /** Thresholds of the completeness report; the input may require more covered days, not fewer. */
  readonly thresholds: Thresholds;
  /** Used with `baseline.dns` if the input has no DNS addresses; as CIDRs. */
  readonly dnsAddresses: readonly string[];
}

/**
 * Derives the requested files from the database's content up to `until`. The same evidence gives the same files.
 * @throws DatabaseFailure
 */
export async function makeAllowlist(
  query: Query,
  input: AllowlistInput & { until: string },
  settings: AllowlistSettings,
): Promise<MadeAllowlist> {
  const { artefacts, ...counts } = isQueryFormat(input.format)
    ? answerQueries(await readEdgePairs(query), input, input.format)
    : await makePolicies(query, input, kinds[input.format], settings);
  const { until: _until, ...asked } = input;
  const digest = createHash('sha256')
    .update(JSON.stringify([asked, settings.identityLabel, artefacts]))
    .digest('hex');
  return {
    summary: {
      allowlistId: digest.slice(0, 16),
      format: input.format,
      files: artefacts.length,
      ...counts,
      without: counts.without.slice(0, 20),
      withoutCount: counts.without.length,
    },
    artefacts,
  };
}

const kinds: Record<Exclude<AllowlistFormat, TableFormat>, PolicyKind> = {
  kubernetes: 'NetworkPolicy',
  calico: 'CalicoNetworkPolicy',
  'calico-staged': 'StagedNetworkPolicy',
  'kubernetes-staged': 'StagedKubernetesNetworkPolicy',
};

type Made = Omit<AllowlistSummary, 'allowlistId' | 'format' | 'files' | 'withoutCount'> & {
  artefacts: readonly Artefact[];
};

async function makePolicies(
  query: Query,
  input: AllowlistInput & { until: string },
  kind: PolicyKind,
  { identityLabel, clusterName, thresholds, dnsAddresses }: AllowlistSettings,
): Promise<Made> {
  const period = periodOf(input);
  const namespaces = input.namespaces === 'all' ? undefined : input.namespaces;
  const { facts: evidence, traced } = await readEvidenceAndTraces(query, {
    ...period,
    ...(namespaces ? { namespaces } : {}),
  });
  const coverage = await readPeriodCoverage(query, period, new Date(input.until));
  const days = evidence.flatMap((fact) => fact.days.slice(0, 1));
  const firstDay = days.reduce((min, day) => Math.min(min, day), period.toDay - 1);
  const minimumDays = Math.max(thresholds.minimumDays, input.minimumCoveredDays);
  const derived = deriveAllowlist(
    evidence,
    namespaceJudge(coverage, { ...thresholds, minimumDays }),
    {
      directions: input.direction === 'both' ? ['egress', 'ingress'] : [input.direction],
      externals: input.includeExternals,
      identities: input.includeIdentities,
      identityLabel,
      limitedNamespaces: await readLimitedNamespaces(query, period),
      allowManyPorts: input.allowManyPorts,
      baseline:
        input.baseline.dns && input.baseline.dnsAddresses.length === 0
          ? { ...input.baseline, dnsAddresses }
          : input.baseline,
    },
    namespaces,
    traceFindings(traced),
  );
  const artefacts = emitPolicies(derived, {
    kind,
    tier: input.tier,
    order: input.order,
    identityLabel,
    clusterName,
    periodText: `from ${dayText(Math.max(period.fromDay, firstDay))} to ${dayText(period.toDay - 1)} (whole days, UTC)`,
    showExternals: input.includeExternals,
  });
  const verdicts = { learning: 0, unstable: 0, complete: 0, stale: 0 };
  const judged = new Map(derived.policies.map(({ namespace, status }) => [namespace, status.verdict]));
  for (const verdict of judged.values()) verdicts[verdict] += 1;
  const sum = (count: (policy: (typeof derived.policies)[number]) => number) =>
    derived.policies.reduce((total, policy) => total + count(policy), 0);
  return {
    artefacts,
    policies: derived.policies.length,
    rules: sum(({ rules }) => rules.length),
    leftOut: sum(({ leftOut }) => leftOut.length),
    warnings: sum(({ warnings }) => warnings.length),
    notices: noticesOf(derived.policies),
    verdicts,
    without: derived.without,
  };
}

function noticesOf(policies: readonly DerivedPolicy[]): string[] {
  return allDnsWarnings.flatMap((warning) => {
    const count = policies.filter(({ warnings }) => warnings.includes(warning)).length;
    return count === 0 ? [] : [`${counted(count, 'policy', 'policies')}: ${warning}`];
  });
}

/** Whole UTC days, because facts have no finer resolution. Without `since`, from the beginning. */
export function periodOf({ since, until }: { since?: string | undefined; until: string }): DayPeriod {
  return {
    fromDay: since === undefined ? 0 : Math.floor(Date.parse(since) / 1000 / daySeconds),
    toDay: Math.ceil(Date.parse(until) / 1000 / daySeconds),
  };
}

const extensions: Record<TableFormat, string> = { text: 'txt', json: 'json', csv: 'csv' };

function answerQueries(edges: readonly AllowlistEdge[], input: AllowlistInput, format: TableFormat): Made {
  const sources = new Set(edges.filter(({ action }) => action === 'allow').map(({ srcNs }) => srcNs));
  const wanted = input.namespaces === 'all' ? [...sources].toSorted() : input.namespaces.toSorted();
  const named = wanted.filter((namespace) => sources.has(namespace));
  const file = (name: string) => `${name}.${extensions[format]}`;
  return {
    artefacts: [
      { path: file('allowlist-matrix'), content: answerEdgeQuery(edges, { name: 'matrix' }, format) },
      { path: file('denied'), content: answerEdgeQuery(edges, { name: 'denied' }, format) },
      ...named.map((namespace) => ({
        path: file(`allowlist-of-${namespace}`),
        content: answerEdgeQuery(edges, { name: 'allowlist', namespace }, format),
      })),
    ],
    policies: 0,
    rules: 0,
    leftOut: 0,
    warnings: 0,
    notices: [],
    verdicts: { learning: 0, unstable: 0, complete: 0, stale: 0 },
    without: wanted
      .filter((namespace) => !sources.has(namespace))
      .map((namespace) => ({ namespace, why: 'no allowed edge starts in this namespace' })),
  };
}
