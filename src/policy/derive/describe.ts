import { counted } from '../../text/counted.ts';
import type { Cut } from './cuts.ts';
import type {
  DerivedPolicy,
  Direction,
  EvidenceEnd,
  LeftOut,
  LeftOutReason,
  NamespaceStatus,
  Peer,
} from './model.ts';
import { compareText, groupBy } from '../../text/order.ts';
import { toOrFrom } from './direction.ts';
import { portText } from './rules.ts';
import { describeSighting, flowsOf, minute } from './sighting.ts';

export function describePeer(peer: Peer): string {
  switch (peer.kind) {
    case 'namespace':
      return describeNamespace(peer.ns);
    case 'identity':
      return `${describeNamespace(peer.ns)}/${peer.identity}`;
    case 'pods':
      return `${describeNamespace(peer.ns)} (${peer.label}=${peer.value})`;
    case 'networkset':
      return `network set ${peer.ns === '' ? '' : `${peer.ns}/`}${peer.name}`;
    case 'address':
      return peer.cidr;
  }
}

/** Texts of ends that are not workloads. A namespace can have such a name, too. */
const reservedNames: readonly string[] = ['pub', 'pvt', 'host', 'unspecified'];

export function isReservedName(text: string): boolean {
  return reservedNames.includes(text);
}

/**
 * An end of a fact: `immich`, `dbaas/postgresql`, `pub`, `network set shop/partners`, `host`. A namespace called `pub` is
 * `namespace pub`, so that its owner cannot make its traffic look like traffic with public addresses.
 */
export function describeEnd({ kind, ns, identity }: EvidenceEnd): string {
  switch (kind) {
    case 'workload':
      return describeNamespace(ns) + (identity === '' ? '' : `/${identity}`);
    case 'network':
      return identity === 'pub' || identity === 'pvt' ? identity : `network ${identity || 'without a name'}`;
    case 'networkset':
      return `network set ${ns === '' ? '' : `${ns}/`}${identity}`;
    case 'host':
      return 'host';
    case 'unspecified':
      return 'unspecified';
  }
}

function describeNamespace(ns: string): string {
  if (ns === '') return 'workload without a namespace';
  return isReservedName(ns) ? `namespace ${ns}` : ns;
}

/** Explains `pub` and `pvt` if one of the endpoints is such a network. */
export function networkLegend(ends: readonly EvidenceEnd[]): string[] {
  const has = (name: string) => ends.some(({ kind, identity }) => kind === 'network' && identity === name);
  return [
    ...(has('pub')
      ? [
          'pub: addresses without a known endpoint, outside 10/8, 172.16/12 and 192.168/16; may include node-local DNS (169.254.20.10), 100.64/10 and all of IPv6',
        ]
      : []),
    ...(has('pvt')
      ? [
          'pvt: addresses without a known endpoint in 10/8, 172.16/12 and 192.168/16; may include nodes, the API server and service addresses',
        ]
      : []),
  ];
}

const reasonTexts: Record<LeftOutReason, string> = {
  external: 'addresses are not stored',
  host: 'node addresses are not stored',
  'many-ports': 'more ports than PORT_CAP; --all-ports allows all ports instead',
  blocked: 'currently denied by policy, so not evidence for a rule',
  'staged-verdict':
    'reported as denied by a staged policy, although staged policies enforce nothing (projectcalico/calico#13410)',
  undecided: 'neither allowed nor denied',
  unnamed: 'a policy cannot express this endpoint or port',
};

/** `egress to pub, tcp 443: addresses are not stored; first seen ...`. */
export function describeLeftOut({ direction, peer, protocol, port, reason, sighting }: LeftOut): string {
  return `${direction} ${toOrFrom(direction)} ${describeEnd(peer)}, ${portText({ protocol, port })}: ${reasonTexts[reason]}; ${describeSighting(sighting)}`;
}

/** `egress of immich`, `egress of endpoints without a namespace`. */
export function describeSubject(direction: Direction, namespace: string): string {
  return `${direction} of ${namespace || 'endpoints without a namespace'}`;
}

/** The header to read before applying the policy: its subject, the completeness of its evidence, and what it denies. */
export function describePolicy(policy: DerivedPolicy, cuts: readonly Cut[], periodText: string): string[] {
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
