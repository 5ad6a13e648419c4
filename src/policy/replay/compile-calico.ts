import { manyPorts } from '../../trail/many-ports.ts';
import { both, either, known, not, type Answer } from './answer.ts';
import { isInNets } from './address-sets.ts';
import {
  isPod,
  isSelected,
  namespaceLabels,
  ownNamespace,
  podLabels,
  type ClusterFacts,
  type EndpointSelector,
} from './ends.ts';
import type { CalicoEntity, CalicoRule, CalicoSpec } from './policy-shapes.ts';
import type { CompiledPolicy, CompiledRule, ReplayFlow, RuleAtom } from './policy.ts';
import { compileSelector, type SelectorCalls } from './calico-selector.ts';
import type { Selector } from './selector.ts';

/** A Calico policy, staged or not; `namespace` undefined for a global one. @throws SelectorError */
export function compileCalico(
  { name, namespace, spec }: { name: string; namespace: string | undefined; spec: CalicoSpec },
  cluster: ClusterFacts,
): CompiledPolicy {
  const pods = compileSelector(spec.selector);
  const namespaces = compileSelector(spec.namespaceSelector ?? '');
  const hasEgress = spec.egress !== undefined && spec.egress.length > 0;
  const hasIngress = spec.ingress !== undefined && spec.ingress.length > 0;
  const types = spec.types ?? [
    ...(hasIngress || !hasEgress ? (['Ingress'] as const) : []),
    ...(hasEgress ? (['Egress'] as const) : []),
  ];
  const compiled = (rules: readonly CalicoRule[] | undefined) =>
    (rules ?? []).flatMap((rule) => compileRule(rule, namespace, cluster));
  return {
    name,
    tier: spec.tier,
    order: spec.order ?? Number.POSITIVE_INFINITY,
    selects: (end) => {
      if (!isPod(end) || (namespace !== undefined && end.ns !== namespace)) return 'no';
      return both(namespaces(namespaceLabels(end)), pods(podLabels(end, cluster.identity)));
    },
    ...(types.includes('Egress') ? { egress: compiled(spec.egress) } : {}),
    ...(types.includes('Ingress') ? { ingress: compiled(spec.ingress) } : {}),
  };
}

/** Log rules do not decide and are dropped. */
function compileRule(rule: CalicoRule, namespace: string | undefined, cluster: ClusterFacts): CompiledRule[] {
  const action = actions[rule.action];
  if (action === undefined) return [];
  const source = entityTest(rule.source, namespace, cluster);
  const destination = entityTest(rule.destination, namespace, cluster);
  const common = (flow: ReplayFlow) =>
    both(
      rule.protocol === undefined ? 'yes' : known(isProtocol(rule.protocol, flow.protocol)),
      rule.notProtocol === undefined ? 'yes' : known(!isProtocol(rule.notProtocol, flow.protocol)),
      // Neither the IP version nor the type of an ICMP message is stored.
      rule.ipVersion === undefined && rule.icmp === undefined && rule.notICMP === undefined
        ? 'yes'
        : 'unknown',
      // Source ports are not stored.
      rule.source?.ports === undefined && rule.source?.notPorts === undefined ? 'yes' : 'unknown',
      source(flow.src),
      destination(flow.dst),
      rule.destination?.notPorts === undefined
        ? 'yes'
        : not(either(...rule.destination.notPorts.map((port) => portMatches(port, flow)))),
    );
  const text = [
    rule.protocol === undefined ? 'any protocol' : String(rule.protocol),
    ...(rule.source === undefined ? [] : [`from ${entityText(rule.source)}`]),
    ...(rule.destination === undefined ? [] : [`to ${entityText(rule.destination)}`]),
  ].join(' ');
  const ports = rule.destination?.ports;
  const atoms: RuleAtom[] =
    ports === undefined || ports.length === 0
      ? [{ text, matches: common }]
      : ports.map((port) => ({
          text: `${text}, port ${port}`,
          matches: (flow) => both(common(flow), portMatches(port, flow)),
        }));
  return [{ action, atoms }];
}

const actions: Record<CalicoRule['action'], CompiledRule['action'] | undefined> = {
  Allow: 'allow',
  Deny: 'deny',
  Pass: 'pass',
  Log: undefined,
};

function entityTest(
  entity: CalicoEntity | undefined,
  ownNamespaceName: string | undefined,
  cluster: ClusterFacts,
): (end: ReplayFlow['src']) => Answer {
  if (entity === undefined) return () => 'yes';
  const { nets, notNets, notSelector } = entity;
  const parts: ((end: ReplayFlow['src']) => Answer)[] = [];
  if (nets) parts.push((end) => isInNets(nets, end));
  if (notNets) parts.push((end) => not(isInNets(notNets, end)));
  if (notSelector !== undefined) {
    const excluded: EndpointSelector = { namespace: () => 'yes', labels: compileSelector(notSelector) };
    parts.push((end) => not(isSelected(excluded, end, cluster)));
  }
  const selected = endpointSelector(entity, ownNamespaceName);
  if (selected) parts.push((end) => isSelected(selected, end, cluster));
  return (end) => both(...parts.map((part) => part(end)));
}

/**
 * What a rule selects; undefined if it has no selector. In a namespaced policy, any selector, including notSelector,
 * restricts the rule to its namespace. Source: Calico's conversion of rules (GetEntityRuleSelector).
 */
function endpointSelector(
  { selector, notSelector, namespaceSelector }: CalicoEntity,
  ownNamespaceName: string | undefined,
): EndpointSelector | undefined {
  const labels = compileSelector(selector ?? '');
  if (namespaceSelector !== undefined)
    return { namespace: compileSelector(namespaceSelector, namespaceCalls), labels };
  if (ownNamespaceName !== undefined && (selector !== undefined || notSelector !== undefined))
    return { namespace: ownNamespace(ownNamespaceName), labels };
  return selector === undefined ? undefined : { namespace: () => 'yes', labels };
}

/** In a namespaceSelector, all() means everything in any namespace, and global() everything in none. */
const isInNamespace: Selector = (labels) => {
  const found = labels('projectcalico.org/name', { text: 'is there', holds: () => true });
  return typeof found === 'string' ? found : known(found.value !== undefined);
};
const namespaceCalls: SelectorCalls = {
  all: isInNamespace,
  global: (labels) => not(isInNamespace(labels)),
};

function entityText({ nets, notNets, selector, notSelector, namespaceSelector }: CalicoEntity): string {
  const parts = [
    ...(namespaceSelector === undefined ? [] : [`namespaces ${namespaceSelector}`]),
    ...(selector === undefined ? [] : [`endpoints ${selector}`]),
    ...(notSelector === undefined ? [] : [`not endpoints ${notSelector}`]),
    ...(nets === undefined ? [] : [nets.join(', ')]),
    ...(notNets === undefined ? [] : [`not ${notNets.join(', ')}`]),
  ];
  return parts.length === 0 ? 'anybody' : parts.join(' and ');
}

const protocolNumbers: Record<string, string> = {
  '1': 'icmp',
  '6': 'tcp',
  '17': 'udp',
  '58': 'icmpv6',
  '132': 'sctp',
  '136': 'udplite',
};

function isProtocol(written: string | number, seen: string): boolean {
  const name = (text: string) => (text === 'icmp6' ? 'icmpv6' : (protocolNumbers[text] ?? text));
  return name(String(written).toLowerCase()) === name(seen);
}

/** A number, a range `80:90`, or the name of a pod's port, which is not stored. */
function portMatches(port: number | string, flow: ReplayFlow): Answer {
  if (flow.port === manyPorts) return 'unknown';
  if (typeof port === 'number') return known(flow.port === port);
  const [, from, to] = /^(\d+)(?::(\d+))?$/.exec(port) ?? [];
  if (from === undefined) return 'unknown';
  return known(flow.port >= Number(from) && flow.port <= Number(to ?? from));
}
