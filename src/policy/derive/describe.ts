import type { DerivedPolicy, Direction, EvidenceEnd, LeftOut, LeftOutReason, Peer } from './model.ts';
import { portText } from './rules.ts';
import { describeSighting, minute, plural } from './sighting.ts';

export function describePeer(peer: Peer): string {
  switch (peer.kind) {
    case 'namespace':
      return peer.ns;
    case 'identity':
      return `${peer.ns}/${peer.identity}`;
    case 'pods':
      return `${peer.ns} (${peer.label}=${peer.value})`;
    case 'networkset':
      return `network set ${peer.ns === '' ? '' : `${peer.ns}/`}${peer.name}`;
    case 'address':
      return peer.cidr;
  }
}

/** An end of a fact: `immich`, `dbaas/postgresql`, `pub (public addresses)`, `a host`. */
export function describeEnd({ kind, ns, identity }: EvidenceEnd): string {
  switch (kind) {
    case 'workload':
      return (ns || 'a workload without namespace') + (identity === '' ? '' : `/${identity}`);
    case 'network':
      if (identity === 'pub') return 'pub (public addresses)';
      if (identity === 'pvt') return 'pvt (private addresses outside the cluster)';
      return `network ${identity || 'without name'}`;
    case 'networkset':
      return `network set ${ns === '' ? '' : `${ns}/`}${identity}`;
    case 'host':
      return 'a host';
    case 'unspecified':
      return 'an end of unknown kind';
  }
}

const reasonTexts: Record<LeftOutReason, string> = {
  external: 'the trail does not know which addresses; fill them in',
  host: 'fill in the addresses of the nodes that it needs',
  'many-ports': 'more ports than are told apart; allow all ports only if you mean it',
  blocked: 'policy denies it today, so it is no evidence for an allow',
  undecided: 'neither allowed nor denied',
  unnamed: 'no policy can name it',
};

/** `to pub (public addresses), tcp 443: the trail does not know ...; first seen ...`. */
export function describeLeftOut({ direction, peer, protocol, port, reason, sighting }: LeftOut): string {
  return `${toOrFrom(direction)} ${describeEnd(peer)}, ${portText({ protocol, port })}: ${reasonTexts[reason]}; ${describeSighting(sighting)}`;
}

/** `egress of immich`, `egress of ends without namespace`. */
export function describeSubject(direction: Direction, namespace: string): string {
  return `${direction} of ${namespace || 'ends without namespace'}`;
}

export function toOrFrom(direction: Direction): string {
  return direction === 'egress' ? 'to' : 'from';
}

/** What everybody must read before applying the policy: whose it is, how sure it is, what it leaves out. */
export function describePolicy(
  policy: DerivedPolicy,
  { periodText, showExternals }: { periodText: string; showExternals: boolean },
): string[] {
  const { namespace, identity, status, leftOut } = policy;
  const subject = identity === '' ? `namespace ${namespace}` : `${identity} in namespace ${namespace}`;
  const quiet = leftOut.filter(({ reason }) => !showExternals && isExternal(reason));
  const flows = quiet.reduce((sum, { sighting }) => sum + sighting.flowCount, 0);
  return [
    verdictText(policy),
    `Allowlist (${policy.directions.join(' and ')}) of ${subject}, derived from flows observed ${periodText}.`,
    `Covered: ${status.coveredDays.toFixed(1)} days, net of ${plural(status.gaps.length, 'gap')}; ${status.requiredDays} are asked for.`,
    ...status.gaps
      .slice(0, maxGaps)
      .map(
        ({ fromSeconds, toSeconds, cause }) =>
          `Gap: ${minute(fromSeconds)} to ${minute(toSeconds)}, ${cause}`,
      ),
    ...(status.gaps.length > maxGaps ? [`Gap: and ${status.gaps.length - maxGaps} more`] : []),
    ...policy.warnings.map((warning) => `Warning: ${warning}`),
    ...(quiet.length > 0
      ? [
          `Warning: ${plural(flows, 'flow')} of hosts and externals are not allowed by this policy; ask for externals to have them listed`,
        ]
      : []),
  ];
}

const maxGaps = 10;

export function isExternal(reason: LeftOutReason): boolean {
  return reason === 'external' || reason === 'host';
}

function verdictText({ status: { verdict, coveredDays, requiredDays } }: DerivedPolicy): string {
  const of = `${coveredDays.toFixed(1)} of ${requiredDays} covered days`;
  switch (verdict) {
    case 'learning':
      return `LEARNING (${of}): what has not happened yet is not in here, and would be denied. Do not enforce it.`;
    case 'unstable':
      return `UNSTABLE (${of}): something new was seen in the last days, so more may come.`;
    case 'stale':
      return `STALE (${of}): nothing was seen of it lately; what it needs now may be something else.`;
    case 'complete':
      return `COMPLETE (${of}): nothing new was seen in the last days.`;
  }
}
