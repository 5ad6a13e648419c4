import { manyPorts } from '../../trail/many-ports.ts';
import { both, known, not, type Answer } from './answer.ts';
import { isInNets } from './address-sets.ts';
import { isPod, namespaceLabels, podLabels, type IdentitySettings } from './ends.ts';
import type { KubernetesSpec } from './policy-shapes.ts';
import type { CompiledPolicy, CompiledRule, ReplayFlow, RuleAtom } from './policy.ts';
import { labelSelector } from './kubernetes-selector.ts';

type Rule = NonNullable<KubernetesSpec['egress']>[number];
type Peer = Rule['to'][number];
type Port = Rule['ports'][number];
/** The order that Calico gives a converted Kubernetes NetworkPolicy. */
const kubernetesOrder = 1_000;

/** A Kubernetes NetworkPolicy, staged or not: allow rules in the default tier. @throws SelectorError */
export function compileKubernetes(
  { name, namespace, spec }: { name: string; namespace: string; spec: KubernetesSpec },
  identity: IdentitySettings,
): CompiledPolicy {
  const selected = labelSelector(spec.podSelector);
  const types = spec.policyTypes ?? [];
  const rule = (side: 'src' | 'dst', peers: readonly Peer[], ports: readonly Port[]): CompiledRule => ({
    action: 'allow',
    atoms: (peers.length === 0 ? [undefined] : peers).flatMap((peer) =>
      (ports.length === 0 ? [undefined] : ports).map((port) =>
        atom(side, peer === undefined ? anyPeer : peerTest(peer, namespace, identity), port),
      ),
    ),
  });
  return {
    name,
    tier: 'default',
    order: kubernetesOrder,
    selects: (end) => (isPod(end) && end.ns === namespace ? selected(podLabels(end, identity)) : 'no'),
    ...(types.includes('Egress')
      ? { egress: (spec.egress ?? []).map(({ to, ports }) => rule('dst', to, ports)) }
      : {}),
    ...(types.includes('Ingress') || !types.includes('Egress')
      ? { ingress: (spec.ingress ?? []).map(({ from, ports }) => rule('src', from, ports)) }
      : {}),
  };
}

interface PeerTest {
  text: string;
  matches: (end: ReplayFlow['src']) => Answer;
}

const anyPeer: PeerTest = { text: 'anybody', matches: () => 'yes' };

function peerTest(
  { namespaceSelector, podSelector, ipBlock }: Peer,
  ownNamespace: string,
  identity: IdentitySettings,
): PeerTest {
  if (ipBlock) {
    const { cidr, except = [] } = ipBlock;
    return {
      text: except.length === 0 ? cidr : `${cidr} except ${except.join(', ')}`,
      matches: (end) => both(isInNets([cidr], end), not(isInNets(except, end))),
    };
  }
  const pods = labelSelector(podSelector ?? {});
  const namespaces = namespaceSelector && labelSelector(namespaceSelector);
  const podText = podSelector === undefined ? '' : ` pods ${selectorText(podSelector)}`;
  return {
    text:
      (namespaceSelector === undefined
        ? `namespace ${ownNamespace}`
        : `namespaces ${selectorText(namespaceSelector)}`) + podText,
    matches: (end) =>
      isPod(end)
        ? both(
            namespaces ? namespaces(namespaceLabels(end)) : known(end.ns === ownNamespace),
            pods(podLabels(end, identity)),
          )
        : 'no',
  };
}

function selectorText({ matchLabels = {}, matchExpressions = [] }: NonNullable<Peer['podSelector']>): string {
  const parts = [
    ...Object.entries(matchLabels).map(([key, value]) => `${key}=${value}`),
    ...matchExpressions.map(({ key, operator, values = [] }) =>
      `${key} ${operator} ${values.join(',')}`.trimEnd(),
    ),
  ];
  return parts.length === 0 ? '(all)' : parts.join(' and ');
}

function atom(side: 'src' | 'dst', peer: PeerTest, port: Port | undefined): RuleAtom {
  return {
    text: `${side === 'dst' ? 'to' : 'from'} ${peer.text}, ${portText(port)}`,
    matches: (flow) => both(peer.matches(flow[side]), portMatches(port, flow)),
  };
}

function portText(port: Port | undefined): string {
  if (port === undefined) return 'all ports';
  const { protocol, port: number, endPort } = port;
  if (number === undefined) return `${protocol}, all ports`;
  return `${protocol} ${number}${endPort === undefined ? '' : `-${endPort}`}`;
}

function portMatches(port: Port | undefined, flow: ReplayFlow): Answer {
  if (port === undefined) return 'yes';
  if (port.protocol.toLowerCase() !== flow.protocol) return 'no';
  if (port.port === undefined) return 'yes';
  if (flow.port === manyPorts || typeof port.port === 'string') return 'unknown';
  return known(flow.port >= port.port && flow.port <= (port.endPort ?? port.port));
}
