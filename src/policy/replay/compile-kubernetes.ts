import { netsOf } from './address-sets.ts';
import { both, not, type Answer } from './answer.ts';
import type { ClusterFacts } from './cluster.ts';
import { isInNets } from './end-addresses.ts';
import { isPod, ownNamespace, podAnswer, podLabels } from './ends.ts';
import type { CompiledRule, CompiledSpec, ReplayFlow, RuleAtom } from './policy.ts';
import { labelSelector, selectorText } from './kubernetes-selector.ts';
import { isInPorts } from './ports.ts';
import type { KubernetesSpec } from './shapes/kubernetes.ts';

type Rule = NonNullable<KubernetesSpec['egress']>[number];
type Peer = Rule['to'][number];
type Port = Rule['ports'][number];
/** The order that Calico gives a converted Kubernetes NetworkPolicy. */
const kubernetesOrder = 1_000;

/** A Kubernetes NetworkPolicy, staged or not: allow rules in the default tier. @throws SelectorError */
export function compileKubernetes(
  { name, namespace, spec }: { name: string; namespace: string; spec: KubernetesSpec },
  cluster: ClusterFacts,
): CompiledSpec {
  const selected = labelSelector(spec.podSelector);
  const types = spec.policyTypes ?? [];
  const rule = (
    side: 'src' | 'dst',
    peers: readonly Peer[],
    ports: readonly Port[],
    index: number,
  ): CompiledRule => ({
    index,
    action: 'allow',
    atoms: (peers.length === 0 ? [undefined] : peers).flatMap((peer) =>
      (ports.length === 0 ? [undefined] : ports).map((port) =>
        atom(side, peer === undefined ? anyPeer : peerTest(peer, namespace, cluster), port),
      ),
    ),
  });
  return {
    name,
    tier: 'default',
    order: kubernetesOrder,
    selects: (end) => (isPod(end) && end.ns === namespace ? selected(podLabels(end, cluster)) : 'no'),
    ...(types.includes('Egress')
      ? { egress: (spec.egress ?? []).map(({ to, ports }, at) => rule('dst', to, ports, at)) }
      : {}),
    ...(types.includes('Ingress') || !types.includes('Egress')
      ? { ingress: (spec.ingress ?? []).map(({ from, ports }, at) => rule('src', from, ports, at)) }
      : {}),
  };
}

interface PeerTest {
  text: string;
  matches: (end: ReplayFlow['src'], flow: ReplayFlow) => Answer;
}

const anyPeer: PeerTest = { text: 'anybody', matches: () => 'yes' };

function peerTest(
  { namespaceSelector, podSelector, ipBlock }: Peer,
  policyNamespace: string,
  cluster: ClusterFacts,
): PeerTest {
  if (ipBlock) {
    const { cidr, except = [] } = ipBlock;
    const [inside, outside] = [netsOf([cidr]), netsOf(except)];
    return {
      text: except.length === 0 ? cidr : `${cidr} except ${except.join(', ')}`,
      matches: (end, { version }) =>
        both(isInNets(inside, end, version, cluster), not(isInNets(outside, end, version, cluster))),
    };
  }
  const selector = {
    namespace: namespaceSelector ? labelSelector(namespaceSelector) : ownNamespace(policyNamespace),
    labels: labelSelector(podSelector ?? {}),
  };
  const onlyNamespace = namespaceSelector
    ? namespaceSelector.matchLabels?.['kubernetes.io/metadata.name']
    : policyNamespace;
  const podText = podSelector === undefined ? '' : ` pods ${selectorText(podSelector)}`;
  return {
    text:
      (namespaceSelector === undefined
        ? `namespace ${policyNamespace}`
        : `namespaces ${selectorText(namespaceSelector)}`) + podText,
    // Most peers are one namespace; comparing its name first saves evaluating the labels of all the others.
    matches: (end) =>
      onlyNamespace !== undefined && end.ns !== onlyNamespace ? 'no' : podAnswer(selector, end, cluster),
  };
}

function atom(side: 'src' | 'dst', peer: PeerTest, port: Port | undefined): RuleAtom {
  return {
    text: `${side === 'dst' ? 'to' : 'from'} ${peer.text}, ${portText(port)}`,
    matches: (flow) => {
      const isPort = portMatches(port, flow);
      return isPort === 'no' ? 'no' : both(isPort, peer.matches(flow[side], flow));
    },
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
  // The names of a pod's ports are not stored.
  if (typeof port.port === 'string') return 'unknown';
  return isInPorts(flow.port, port.port, port.endPort ?? port.port);
}
