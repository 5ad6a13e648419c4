import { evidenceText, ruleText, type RenderedRules } from './emit-kubernetes.ts';
import { describePeer, toOrFrom } from './describe.ts';
import type { AllowedPort, AllowRule, DerivedPolicy, LeftOut, Peer } from './model.ts';
import { groupBy } from './order.ts';
import { hasPorts, portText } from './rules.ts';
import { mergeSightings, minute } from './sighting.ts';
import { Commented, type YamlValue } from './yaml.ts';

/** The label that a rule expects on a network set: Calico selects network sets by label only, not by name. */
export const networkSetLabel = 'flow-trail/network-set';

const protocols: Record<string, string> = {
  tcp: 'TCP',
  udp: 'UDP',
  sctp: 'SCTP',
  udplite: 'UDPLite',
  icmp: 'ICMP',
  icmp6: 'ICMPv6',
  icmpv6: 'ICMPv6',
};

/** Rules of a Calico NetworkPolicy, one a peer and protocol; source: projectcalico.org/v3. */
export function calicoRules(policy: DerivedPolicy): RenderedRules {
  const inexpressible: string[] = [];
  const rulesOf = (direction: AllowRule['direction']) =>
    policy.rules
      .filter((rule) => rule.direction === direction)
      .flatMap((rule) =>
        [...groupBy(rule.ports, ({ protocol, port }) => `${protocol} ${port === 'all'}`).values()].flatMap(
          (ports): YamlValue[] => {
            const [{ protocol }] = ports;
            const name = calicoProtocol(protocol);
            if (name === undefined) {
              inexpressible.push(
                `${direction} ${toOrFrom(direction)} ${describePeer(rule.peer)}, ${portText(ports[0])}: Calico does not know the protocol; ${evidenceText(ports[0])}`,
              );
              return [];
            }
            return [calicoRule(rule, name, ports)];
          },
        ),
      );
  const [egress, ingress] = [rulesOf('egress'), rulesOf('ingress')];
  return { egress, ingress, inexpressible, count: egress.length + ingress.length };
}

function calicoProtocol(protocol: string): string | number | undefined {
  const known = protocols[protocol];
  if (known !== undefined) return known;
  const number = Number(protocol);
  return Number.isInteger(number) && number >= 1 && number <= 255 ? number : undefined;
}

function calicoRule(
  rule: AllowRule,
  protocol: string | number,
  ports: readonly [AllowedPort, ...AllowedPort[]],
): YamlValue {
  const numbers = ports.flatMap((port) =>
    typeof port.port === 'number' ? [{ ...port, port: port.port }] : [],
  );
  const portList =
    numbers.length === 0 ? undefined : numbers.map((port) => new Commented(port.port, [evidenceText(port)]));
  const entity = calicoEntity(rule.peer);
  const isEgress = rule.direction === 'egress';
  return new Commented(
    {
      action: 'Allow',
      protocol,
      source: isEgress ? undefined : entity,
      destination: isEgress
        ? { ...entity, ports: portList }
        : portList === undefined
          ? undefined
          : { ports: portList },
      metadata: { annotations: annotations(rule, ports) },
    },
    [ruleText(rule), ...peerNotes(rule.peer), ...(numbers.length === 0 ? ports.map(evidenceText) : [])],
  );
}

/** Comments are lost when a manifest is applied; these stay with the rule. */
function annotations(rule: AllowRule, ports: readonly AllowedPort[]): Record<string, string> {
  const sightings = ports.flatMap(({ sighting }) => (sighting ? [sighting] : []));
  const [first, ...others] = sightings;
  if (rule.isBaseline || first === undefined) return { 'flow-trail/origin': 'baseline' };
  const { firstSeconds, lastSeconds, days, flowCount } = mergeSightings(first, ...others);
  const wider = [...new Set(ports.flatMap(({ widenings }) => widenings))].toSorted();
  return {
    'flow-trail/origin': 'observed',
    'flow-trail/first-seen': minute(firstSeconds),
    'flow-trail/last-seen': minute(lastSeconds),
    'flow-trail/days': String(days.length),
    'flow-trail/flows': String(flowCount),
    ...(wider.length > 0 ? { 'flow-trail/wider-than-observed': wider.join(',') } : {}),
  };
}

function peerNotes(peer: Peer): string[] {
  return peer.kind === 'networkset'
    ? [
        `matches only once the network set ${peer.name} carries the label ${networkSetLabel}: ${peer.name} (Calico selects network sets by label)`,
      ]
    : [];
}

function calicoEntity(peer: Peer): Record<string, YamlValue> {
  const inNamespace = (ns: string) => ({ namespaceSelector: `projectcalico.org/name == '${ns}'` });
  switch (peer.kind) {
    case 'namespace':
      return inNamespace(peer.ns);
    case 'identity':
      return { selector: `${peer.label} == '${peer.identity}'`, ...inNamespace(peer.ns) };
    case 'pods':
      return { selector: `${peer.label} == '${peer.value}'`, ...inNamespace(peer.ns) };
    case 'networkset':
      return {
        selector: `${networkSetLabel} == '${peer.name}'`,
        ...(peer.ns === '' ? { namespaceSelector: 'global()' } : inNamespace(peer.ns)),
      };
    case 'address':
      return { nets: [peer.cidr] };
  }
}

/** Lines to fill in and uncomment. */
export function calicoStub({ direction, protocol, port }: LeftOut): string[] {
  const name = calicoProtocol(protocol);
  if (name === undefined) return [];
  const ports = hasPorts(protocol) && port > 0 ? `, ports: [${port}]` : '';
  return [
    '  - action: Allow',
    `    protocol: ${name}`,
    ...(direction === 'egress'
      ? [`    destination: { nets: [FILL-IN]${ports} }`]
      : [
          '    source: { nets: [FILL-IN] }',
          ...(ports === '' ? [] : [`    destination: { ports: [${port}] }`]),
        ]),
  ];
}
