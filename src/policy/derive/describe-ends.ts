import type { Direction, EvidenceEnd, LeftOut, LeftOutReason, Peer } from './model.ts';
import { toOrFrom } from './direction.ts';
import { portText } from './rules.ts';
import { describeSighting } from './sighting.ts';

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
