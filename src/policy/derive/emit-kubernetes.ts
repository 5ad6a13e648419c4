import { manyPorts } from '../../trail/many-ports.ts';
import type { Inexpressible } from './cuts.ts';
import { describePeer } from './describe-ends.ts';
import { toOrFrom } from './direction.ts';
import type { AllowedPort, AllowRule, DerivedPolicy, LeftOut, Peer, Widening } from './model.ts';
import { portText } from './rules.ts';
import { describeSighting } from './sighting.ts';
import { Commented, type YamlValue } from './yaml.ts';

/** Rules in one format, and the ports that the format cannot express. */
export interface RenderedRules {
  readonly egress: readonly YamlValue[];
  readonly ingress: readonly YamlValue[];
  readonly inexpressible: readonly Inexpressible[];
}

const protocols: Record<string, string> = { tcp: 'TCP', udp: 'UDP', sctp: 'SCTP' };

/** Rules of a Kubernetes NetworkPolicy; source: networking.k8s.io/v1. The format has neither ICMP nor network sets. */
export function kubernetesRules(policy: DerivedPolicy): RenderedRules {
  const inexpressible: Inexpressible[] = [];
  const rulesOf = (direction: AllowRule['direction']) =>
    policy.rules
      .filter((rule) => rule.direction === direction)
      .flatMap((rule): YamlValue[] => {
        const peer = kubernetesPeer(rule.peer);
        const ports = rule.ports.filter(({ protocol }) => peer !== undefined && protocol in protocols);
        for (const port of rule.ports)
          if (!ports.includes(port))
            inexpressible.push({
              direction,
              what: peer === undefined ? 'network sets' : port.protocol,
              text: `${direction} ${toOrFrom(direction)} ${describePeer(rule.peer)}, ${portText(port)}: a Kubernetes NetworkPolicy cannot express this, but a Calico policy can; ${evidenceText(port)}`,
              ...(port.sighting ? { sighting: port.sighting } : {}),
            });
        if (peer === undefined || ports.length === 0) return [];
        return [
          new Commented(
            {
              [toOrFrom(direction)]: [peer],
              ports: ports.map(
                (port) =>
                  new Commented(
                    {
                      protocol: protocols[port.protocol],
                      port: typeof port.port === 'number' ? port.port : undefined,
                    },
                    [evidenceText(port)],
                  ),
              ),
            },
            [ruleText(rule)],
          ),
        ];
      });
  return { egress: rulesOf('egress'), ingress: rulesOf('ingress'), inexpressible };
}

/** The comment above a rule: the other end, and whether it was observed. */
export function ruleText({ direction, peer, isBaseline }: AllowRule): string {
  return `${toOrFrom(direction)} ${describePeer(peer)}: ${isBaseline ? 'baseline, enabled by an option, not observed' : 'observed'}`;
}

/** The comment above a port: its evidence, and whether the rule is wider than the evidence. */
export function evidenceText({ sighting, widenings }: AllowedPort): string {
  const wider = widenings.map((widening) => widerTexts[widening]).filter((text) => text !== '');
  const note = wider.length === 0 ? '' : `; wider than observed: ${wider.join(', ')}`;
  return sighting ? `${describeSighting(sighting)}${note}` : 'baseline, not observed';
}

const widerTexts: Record<Widening, string> = {
  baseline: '',
  'namespace-instead-of-identity': 'the whole namespace instead of service identities',
  'all-ports': 'all ports, because more than PORT_CAP were observed',
};

function kubernetesPeer(peer: Peer): YamlValue | undefined {
  const inNamespace = (ns: string) => ({ matchLabels: { 'kubernetes.io/metadata.name': ns } });
  switch (peer.kind) {
    case 'namespace':
      return { namespaceSelector: inNamespace(peer.ns) };
    case 'identity':
      return {
        namespaceSelector: inNamespace(peer.ns),
        podSelector: { matchLabels: { [peer.label]: peer.identity } },
      };
    case 'pods':
      return {
        namespaceSelector: inNamespace(peer.ns),
        podSelector: { matchLabels: { [peer.label]: peer.value } },
      };
    case 'address':
      return { ipBlock: { cidr: peer.cidr } };
    case 'networkset':
      return undefined;
  }
}

/** A commented rule to fill in; undefined if the format cannot express it. */
export function kubernetesStub({ direction, protocol, port }: LeftOut): string | undefined {
  const name = protocols[protocol];
  if (name === undefined || port === 0) return undefined;
  const ports = port === manyPorts ? `protocol: ${name}` : `protocol: ${name}, port: ${port}`;
  return `- {${toOrFrom(direction)}: [{ipBlock: {cidr: "FILL-IN"}}], ports: [{${ports}}]}`;
}
