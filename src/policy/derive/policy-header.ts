import { counted } from '../../text/counted.ts';
import { compareText, groupBy } from '../../text/order.ts';
import type { Cut } from './cuts.ts';
import { networkLegend } from './describe-ends.ts';
import type { DerivedPolicy, Direction, NamespaceStatus } from './model.ts';
import { flowsOf, minute } from './sighting.ts';

export interface HeaderOptions {
  /** `from 2026-11-01 to 2026-11-08 (UTC days)`. */
  readonly periodText: string;
  /** CLUSTER_NAME of the trail that the flows come from; omitted if empty. */
  readonly clusterName: string;
}

/**
 * The comments to read before applying the policy: its subject, the completeness of its evidence, and what it denies.
 * @param blocked the directions in which the policy allows nothing
 * @param notes further lines, before the legend
 */
export function policyHeader(
  policy: DerivedPolicy,
  cuts: readonly Cut[],
  blocked: readonly Direction[],
  notes: readonly string[],
  { periodText, clusterName }: HeaderOptions,
): string[] {
  const { namespace, identity, status, statuses } = policy;
  const subject = identity === '' ? `namespace ${namespace}` : `${identity} in namespace ${namespace}`;
  return [
    `${verdictText(status)}${cuts.length > 0 ? ' This policy denies traffic that is allowed today; see the next line.' : ''}`,
    ...describeCuts(cuts),
    `Allowlist (${policy.directions.join(' and ')}) of ${subject}, derived from flows observed ${periodText}.`,
    ...(statuses.length > 1
      ? statuses.map(
          (entry) =>
            `${entry.direction === 'egress' ? 'Egress' : 'Ingress'}: ${entry.status.verdict}, ${entry.status.coveredDays.toFixed(1)} covered days.`,
        )
      : []),
    `Covered: ${status.coveredDays.toFixed(1)} days, ${counted(status.gaps.length, 'gap')} excluded; ${status.requiredDays} are required.`,
    ...status.gaps
      .slice(0, maxGaps)
      .map(
        ({ fromSeconds, toSeconds, cause }) =>
          `Gap: ${minute(fromSeconds)} to ${minute(toSeconds)}, ${cause}`,
      ),
    ...(status.gaps.length > maxGaps ? [`Gap: and ${status.gaps.length - maxGaps} more`] : []),
    ...policy.warnings.map((warning) => `Warning: ${warning}`),
    ...(clusterName === '' ? [] : [`Cluster: ${clusterName}`]),
    ...blocked.map((direction) => {
      const count = flowsOf(cuts.filter((cut) => cut.direction === direction));
      return `Warning: denies all ${direction}; ${counted(count, 'flow')} ${count === 1 ? 'was' : 'were'} seen`;
    }),
    ...notes,
    ...networkLegend(policy.leftOut.map(({ peer }) => peer)),
  ];
}

function describeCuts(cuts: readonly Cut[]): string[] {
  if (cuts.length === 0) return [];
  const kinds = [...groupBy(cuts, ({ direction, what }) => `${direction} ${what}`)].map(
    ([kind, group]) => `${kind} (${group.length})`,
  );
  return [
    `Warning: denies ${counted(flowsOf(cuts), 'flow')} that ${flowsOf(cuts) === 1 ? 'is' : 'are'} allowed today, in ${counted(cuts.length, 'combination')} of peer, protocol and port: ${kinds.toSorted(compareText).join(', ')}`,
  ];
}

const maxGaps = 10;

function verdictText({ verdict, coveredDays, requiredDays }: NamespaceStatus): string {
  const days = `${coveredDays.toFixed(1)} of ${requiredDays} covered days`;
  switch (verdict) {
    case 'learning':
      return `LEARNING (${days}): traffic that has not been observed yet is missing and would be denied. Do not enforce it.`;
    case 'unstable':
      return `UNSTABLE (${days}): new traffic was observed recently; more may follow.`;
    case 'stale':
      return `STALE (${days}): no traffic was observed recently; current needs may differ.`;
    case 'complete':
      return `COMPLETE (${days}): no new traffic was observed recently.`;
  }
}
