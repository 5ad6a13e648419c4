import { describePeer, toOrFrom } from './describe.ts';
import type { AllowedPort, AllowRule, DerivedPolicy, LeftOut, Peer, Widening } from './model.ts';
import { hasPorts, portText } from './rules.ts';
import { describeSighting } from './sighting.ts';
import { Commented, type YamlValue } from './yaml.ts';

/** Rules as a format writes them, and what it cannot say. */
export interface RenderedRules {
  readonly egress: readonly YamlValue[];
  readonly ingress: readonly YamlValue[];
  readonly inexpressible: readonly string[];
  readonly count: number;
}

const protocols: Record<string, string> = { tcp: 'TCP', udp: 'UDP', sctp: 'SCTP' };

/** Rules of a Kubernetes NetworkPolicy; source: networking.k8s.io/v1. It knows neither ICMP nor network sets. */
export function kubernetesRules(policy: DerivedPolicy): RenderedRules {
  const inexpressible: string[] = [];
  const rulesOf = (direction: AllowRule['direction']) =>
    policy.rules
      .filter((rule) => rule.direction === direction)
      .flatMap((rule): YamlValue[] => {
        const peer = kubernetesPeer(rule.peer);
        const ports = rule.ports.filter(({ protocol }) => peer !== undefined && protocol in protocols);
        for (const port of rule.ports)
          if (!ports.includes(port))
            inexpressible.push(
              `${direction} ${toOrFrom(direction)} ${describePeer(rule.peer)}, ${portText(port)}: a Kubernetes NetworkPolicy cannot say it, Calico's can; ${evidenceText(port)}`,
            );
        if (peer === undefined || ports.length === 0) return [];
        return [
          new Commented(
            {
              [direction === 'egress' ? 'to' : 'from']: [peer],
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
  const [egress, ingress] = [rulesOf('egress'), rulesOf('ingress')];
  return { egress, ingress, inexpressible, count: egress.length + ingress.length };
}

/** What a rule is, in a line above it. */
export function ruleText({ direction, peer, isBaseline }: AllowRule): string {
  return `${toOrFrom(direction)} ${describePeer(peer)}: ${isBaseline ? 'baseline, switched on, not observed' : 'observed'}`;
}

/** What a port rests on. */
export function evidenceText({ sighting, widenings }: AllowedPort): string {
  const wider = widenings.map((widening) => widerTexts[widening]).filter((text) => text !== '');
  const note = wider.length === 0 ? '' : `; wider than observed: ${wider.join(', ')}`;
  return sighting ? `${describeSighting(sighting)}${note}` : 'baseline, not observed';
}

const widerTexts: Record<Widening, string> = {
  baseline: '',
  'namespace-instead-of-identity': 'the whole namespace instead of service identities',
  'all-ports': 'all ports, because more were seen than are told apart',
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

/** Lines to fill in and uncomment. */
export function kubernetesStub({ direction, protocol, port }: LeftOut): string[] {
  if (!(protocol in protocols)) return [];
  const ports =
    hasPorts(protocol) && port > 0
      ? [`    ports: [{ protocol: ${protocols[protocol]}, port: ${port} }]`]
      : [`    ports: [{ protocol: ${protocols[protocol]} }]`];
  return [`  - ${toOrFrom(direction)}: [{ ipBlock: { cidr: FILL-IN } }]`, ...ports];
}
