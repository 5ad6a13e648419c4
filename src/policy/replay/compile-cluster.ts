import { netsOf } from './address-sets.ts';
import { both, type Answer } from './answer.ts';
import type { ClusterFacts, ReplayEnd } from './cluster.ts';
import { isInNets } from './end-addresses.ts';
import { endpointTest, isInNamespace, podAnswer } from './ends.ts';
import { labelSelector, selectorText } from './kubernetes-selector.ts';
import type { CompiledRule, CompiledSpec, ReplayFlow } from './policy.ts';
import { isInPorts } from './ports.ts';
import type { Selector } from './selector.ts';
import type { ClusterPeer, ClusterProtocol, ClusterRule, ClusterSpec } from './shapes/cluster-policies.ts';
import { clusterTiers } from './tiers.ts';

/** A cluster-wide policy of the Kubernetes network policy API, as Calico converts it. @throws SelectorError */
export function compileCluster(
  { name, spec }: { name: string; spec: ClusterSpec },
  cluster: ClusterFacts,
): CompiledSpec {
  const { namespaces, pods } = spec.subject;
  const subject = {
    namespace: labelSelector(namespaces ?? pods?.namespaceSelector ?? {}),
    labels: labelSelector(pods?.podSelector ?? {}),
  };
  const compiled = (rules: readonly ClusterRule[]) =>
    rules.flatMap((rule, index) => compileRule(rule, index, cluster));
  const egress = compiled(spec.egress);
  const ingress = compiled(spec.ingress);
  return {
    name,
    tier: clusterTiers[spec.tier],
    order: spec.priority,
    selects: (end) => podAnswer(subject, end, cluster),
    ...(egress.length > 0 ? { egress } : {}),
    ...(ingress.length > 0 ? { ingress } : {}),
  };
}

const actions = { Accept: 'allow', Deny: 'deny', Pass: 'pass' } as const;

/**
 * Calico does not implement nodes and domainNames: it drops a rule that accepts them, and replaces any other rule that
 * uses them with one that denies everything.
 */
function compileRule(rule: ClusterRule, index: number, cluster: ClusterFacts): CompiledRule[] {
  const [peers, side] = 'to' in rule ? ([rule.to, 'dst'] as const) : ([rule.from, 'src'] as const);
  if (peers.some(({ nodes, domainNames }: ClusterPeer) => nodes !== undefined || domainNames !== undefined))
    return rule.action === 'Accept'
      ? []
      : [
          {
            index,
            action: 'deny',
            atoms: [{ text: 'everything (Calico ignores nodes and domainNames)', matches: () => 'yes' }],
          },
        ];
  return [
    {
      index,
      action: actions[rule.action],
      atoms: peers.flatMap((peer) => {
        const { text, matches } = peerTest(peer, cluster);
        return (rule.protocols.length === 0 ? [undefined] : rule.protocols).map((protocol) => ({
          text: `${side === 'dst' ? 'to' : 'from'} ${text}, ${protocolText(protocol)}`,
          matches: (flow: ReplayFlow) =>
            both(matches(flow[side], flow), protocol === undefined ? 'yes' : protocolMatches(protocol, flow)),
        }));
      }),
    },
  ];
}

function peerTest(
  { namespaces, pods, networks = [] }: ClusterPeer,
  cluster: ClusterFacts,
): { text: string; matches: (end: ReplayEnd, flow: ReplayFlow) => Answer } {
  if (namespaces) {
    const selector = { namespace: namespaceSelectorOf(namespaces), labels: () => 'yes' as const };
    const isSelected = endpointTest(selector, cluster);
    return {
      text: `namespaces ${selectorText(namespaces)}`,
      matches: (end, { version }) => isSelected(end, version),
    };
  }
  if (pods) {
    const selector = {
      namespace: namespaceSelectorOf(pods.namespaceSelector),
      labels: labelSelector(pods.podSelector),
    };
    return {
      text: `namespaces ${selectorText(pods.namespaceSelector)} pods ${selectorText(pods.podSelector)}`,
      matches: (end) => podAnswer(selector, end, cluster),
    };
  }
  const nets = netsOf(networks);
  return {
    text: networks.join(', '),
    matches: (end, { version }) => isInNets(nets, end, version, cluster),
  };
}

function protocolText(protocol: ClusterProtocol | undefined): string {
  if (protocol === undefined) return 'all ports';
  const { destinationNamedPort } = protocol;
  if (destinationNamedPort !== undefined) return `port ${destinationNamedPort}`;
  const [name, port] = portOf(protocol);
  const { number, range } = port ?? {};
  return `${name.toUpperCase()} ${range ? `${range.start}-${range.end}` : (number ?? 'all ports')}`;
}

function protocolMatches(protocol: ClusterProtocol, flow: ReplayFlow): Answer {
  // The names of a pod's ports are not stored.
  if (protocol.destinationNamedPort !== undefined) return 'unknown';
  const [name, port] = portOf(protocol);
  if (name !== flow.protocol) return 'no';
  const { number, range } = port ?? {};
  const [first, last] = range ? [range.start, range.end] : [number, number];
  if (first === undefined || last === undefined) return 'yes';
  return isInPorts(flow.port, first, last);
}

function portOf({ tcp, udp, sctp }: ClusterProtocol) {
  if (tcp) return ['tcp', tcp.destinationPort] as const;
  return udp ? (['udp', udp.destinationPort] as const) : (['sctp', sctp?.destinationPort] as const);
}

/** An empty selector selects everything in any namespace. */
function namespaceSelectorOf(selector: NonNullable<ClusterPeer['namespaces']>): Selector {
  const { matchLabels = {}, matchExpressions = [] } = selector;
  const isEmpty = Object.keys(matchLabels).length === 0 && matchExpressions.length === 0;
  return isEmpty ? isInNamespace : labelSelector(selector);
}
