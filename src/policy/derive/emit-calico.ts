import type { Inexpressible } from './cuts.ts';
import { evidenceText, ruleText, type RenderedRules } from './emit-kubernetes.ts';
import { describePeer } from './describe-ends.ts';
import { toOrFrom } from './direction.ts';
import type { AllowedPort, AllowRule, DerivedPolicy, LeftOut, Peer } from './model.ts';
import { groupBy } from '../../text/order.ts';
import { portText } from './rules.ts';
import { mergeSightings, minute } from './sighting.ts';
import { Commented, type YamlValue } from './yaml.ts';

/** The label that a rule expects on a network set: Calico selects network sets by label, not by name. */
const networkSetLabel = 'flow-trail/network-set';

const protocols: Record<string, string> = {
  tcp: 'TCP',
  udp: 'UDP',
  sctp: 'SCTP',
  udplite: 'UDPLite',
  icmp: 'ICMP',
  icmp6: 'ICMPv6',
  icmpv6: 'ICMPv6',
};

/** Protocols for which Calico accepts ports. UDPLite has ports, but Calico rejects them. */
const protocolsWithPorts: ReadonlySet<string> = new Set(['tcp', 'udp', 'sctp']);

/** Rules of a Calico NetworkPolicy, one per peer and protocol; source: projectcalico.org/v3. */
export function calicoRules(policy: DerivedPolicy): RenderedRules {
  const inexpressible: Inexpressible[] = [];
  const rulesOf = (direction: AllowRule['direction']) =>
    policy.rules
      .filter((rule) => rule.direction === direction)
      .flatMap((rule) => {
        const expressible = rule.ports.filter((port) => {
          const problem = problemOf(port);
          if (problem !== undefined)
            inexpressible.push({
              direction,
              what: port.protocol,
              text: `${direction} ${toOrFrom(direction)} ${describePeer(rule.peer)}, ${portText(port)}: ${problem}; ${evidenceText(port)}`,
              ...(port.sighting ? { sighting: port.sighting } : {}),
            });
          return problem === undefined;
        });
        const groups = groupBy(expressible, ({ protocol, port }) => `${protocol} ${port === 'all'}`);
        return [...groups.values()].flatMap((ports): YamlValue[] => {
          const name = calicoProtocol(ports[0].protocol);
          return name === undefined ? [] : [calicoRule(rule, name, ports)];
        });
      });
  return { egress: rulesOf('egress'), ingress: rulesOf('ingress'), inexpressible };
}

function problemOf({ protocol, port }: AllowedPort): string | undefined {
  if (calicoProtocol(protocol) === undefined) return 'Calico does not know the protocol';
  return typeof port === 'number' && !protocolsWithPorts.has(protocol)
    ? 'Calico accepts ports only for TCP, UDP and SCTP'
    : undefined;
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

/** Comments are lost when a manifest is applied; annotations stay with the rule. */
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
        `matches only if the network set ${peer.name} has the label ${networkSetLabel}: ${peer.name} (Calico selects network sets by label)`,
      ]
    : [];
}

/** Without this term, a selector also matches network sets of the namespace. */
const onlyWorkloads = "projectcalico.org/orchestrator == 'k8s'";

function calicoEntity(peer: Peer): Record<string, YamlValue> {
  const inNamespace = (ns: string) => ({ namespaceSelector: `projectcalico.org/name == '${ns}'` });
  switch (peer.kind) {
    case 'namespace':
      return { selector: onlyWorkloads, ...inNamespace(peer.ns) };
    case 'identity':
      return {
        selector: `${onlyWorkloads} && ${peer.label} == '${peer.identity}'`,
        ...inNamespace(peer.ns),
      };
    case 'pods':
      return { selector: `${onlyWorkloads} && ${peer.label} == '${peer.value}'`, ...inNamespace(peer.ns) };
    case 'networkset':
      return {
        selector: `${networkSetLabel} == '${peer.name}'`,
        ...(peer.ns === '' ? { namespaceSelector: 'global()' } : inNamespace(peer.ns)),
      };
    case 'address':
      return { nets: [peer.cidr] };
  }
}

/** A commented rule to fill in; undefined if the format cannot express it. */
export function calicoStub({ direction, protocol, port }: LeftOut): string | undefined {
  const name = calicoProtocol(protocol);
  const hasPort = protocolsWithPorts.has(protocol);
  if (name === undefined || (hasPort && port === 0) || (!hasPort && port > 0)) return undefined;
  const ports = hasPort && port > 0 ? `ports: [${port}]` : '';
  const nets = 'nets: ["FILL-IN"]';
  const ends =
    direction === 'egress'
      ? `destination: {${nets}${ports === '' ? '' : `, ${ports}`}}`
      : `source: {${nets}}${ports === '' ? '' : `, destination: {${ports}}`}`;
  return `- {action: Allow, protocol: ${name}, ${ends}}`;
}
