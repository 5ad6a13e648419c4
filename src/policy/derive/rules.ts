import { manyPorts } from '../../trail/many-ports.ts';
import type { FlowEvidence } from '../../trail/facts/evidence.ts';
import type { AllowedPort, AllowRule, DeriveOptions, Direction, Peer, Widening } from './model.ts';
import { groupBy, sortedBy } from '../../text/order.ts';
import { peerOf, toOrFrom } from './direction.ts';
import { mergeSightings } from './sighting.ts';

/** Linux chooses ports from here on by default (net.ipv4.ip_local_port_range). */
const firstDynamicPort = 32_768;
/** A single program rarely listens on this many such ports. */
const suspectPorts = 5;
/** Why facts of a namespace may lack an identity. */
export const beyondCap =
  'it has more service identities or network sets than are stored (IDENTITY_CAP, or too many in one bucket), so some of its flows are stored without them';

interface Grant {
  peer: Peer;
  port: AllowedPort;
}

/**
 * The rules that allow exactly these facts of one subject and direction: one rule per peer, its ports sorted. An
 * identity is selected only if every fact of the port has one; otherwise, the rule selects the whole namespace, with a
 * warning that it is wider than observed.
 */
export function observedRules(
  direction: Direction,
  facts: readonly FlowEvidence[],
  options: DeriveOptions,
): { rules: AllowRule[]; warnings: string[] } {
  const warnings: string[] = [];
  const byPort = groupBy(facts, (fact) => {
    const { kind, ns, identity } = peerOf(direction, fact);
    return [kind, ns, kind === 'networkset' ? identity : '', fact.protocol, fact.port].join('\n');
  });
  const grants = [...byPort.values()].flatMap((group) => grantsOf(direction, group, options, warnings));
  const rules = [...groupBy(grants, ({ peer }) => peerKey(peer)).values()].map(
    ([first, ...rest]): AllowRule => ({
      direction,
      peer: first.peer,
      isBaseline: false,
      ports: sortedBy(
        [first, ...rest].map(({ port }) => port),
        ({ protocol, port }) => [protocol, portRank(port)],
      ),
    }),
  );
  const sorted = sortedBy(rules, ({ peer }) => [peerKey(peer)]);
  return { rules: sorted, warnings: [...warnings, ...sorted.flatMap(dynamicPortWarnings)] };
}

/** Passive FTP, NFS and RPC services choose a new port for each connection or at each start. */
function dynamicPortWarnings({ direction, peer, ports }: AllowRule): string[] {
  return [...groupBy(ports, ({ protocol }) => protocol)].flatMap(([protocol, group]) => {
    const dynamic = group.filter(({ port }) => typeof port === 'number' && port >= firstDynamicPort);
    if (dynamic.length < suspectPorts || group.some(({ port }) => port === 'all')) return [];
    return [
      `${direction} ${toOrFrom(direction)} ${'ns' in peer ? peer.ns || 'a network set' : 'an address'} lists ${dynamic.length} ${protocol} ports at or above ${firstDynamicPort}. If the service chooses a new port for each connection (passive FTP, RPC), later connections would be denied: replace the ports with the service's range (endPort)`,
    ];
  });
}

/** A text that identifies the peer and sorts in the expected order. */
function peerKey(peer: Peer): string {
  switch (peer.kind) {
    case 'namespace':
      return `${peer.ns}\n`;
    case 'identity':
      return `${peer.ns}\n1${peer.identity}`;
    case 'pods':
      return `${peer.ns}\n2${peer.label}=${peer.value}`;
    case 'networkset':
      return `\u{ffff}set\n${peer.ns}\n${peer.name}`;
    case 'address':
      return `\u{ffff}address\n${peer.cidr}`;
  }
}

function grantsOf(
  direction: Direction,
  facts: readonly [FlowEvidence, ...FlowEvidence[]],
  options: DeriveOptions,
  warnings: string[],
): Grant[] {
  const [first] = facts;
  const { kind, ns, identity } = peerOf(direction, first);
  if (kind === 'networkset') return [grant({ kind: 'networkset', ns, name: identity }, facts)];
  const identities = groupBy(facts, (fact) => peerOf(direction, fact).identity);
  const hasNamed = [...identities.keys()].some((name) => name !== '');
  const isLimited = options.limitedNamespaces?.has(ns) === true;
  if (!hasNamed && !(options.identities && isLimited)) return [grant({ kind: 'namespace', ns }, facts)];
  if (options.identities && !identities.has(''))
    return [...identities].map(([name, group]) =>
      grant({ kind: 'identity', ns, label: options.identityLabel, identity: name }, group),
    );
  if (options.identities)
    warnings.push(
      `${direction} ${toOrFrom(direction)} ${ns} ${portText(first)} is allowed for the whole namespace: ${isLimited ? beyondCap : `not every flow had the label ${options.identityLabel}`}`,
    );
  return [grant({ kind: 'namespace', ns }, facts, ['namespace-instead-of-identity'])];
}

function grant(
  peer: Peer,
  [first, ...others]: readonly [FlowEvidence, ...FlowEvidence[]],
  widenings: readonly Widening[] = [],
): Grant {
  const { protocol, port } = first;
  return {
    peer,
    port: {
      protocol,
      port: port === manyPorts ? 'all' : hasPorts(protocol) ? port : 'none',
      sighting: mergeSightings(first, ...others),
      widenings: port === manyPorts ? [...widenings, 'all-ports'] : widenings,
    },
  };
}

export function hasPorts(protocol: string): boolean {
  return ['tcp', 'udp', 'sctp', 'udplite'].includes(protocol);
}

/** `tcp 443`, `tcp, many ports`, `icmp`. */
export function portText({ protocol, port }: { protocol: string; port: number | 'all' | 'none' }): string {
  if (port === manyPorts) return `${protocol}, many ports`;
  if (port === 'all') return `${protocol}, all ports`;
  return port === 'none' || !hasPorts(protocol) ? protocol : `${protocol} ${port}`;
}

function portRank(port: AllowedPort['port']): number {
  if (port === 'none') return -2;
  return port === 'all' ? -1 : port;
}
