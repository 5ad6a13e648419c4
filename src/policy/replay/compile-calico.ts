import { netsOf } from './address-sets.ts';
import { both, every, known, not, type Answer } from './answer.ts';
import { compileSelector, type SelectorCalls } from './calico-selector.ts';
import type { ClusterFacts } from './cluster.ts';
import { isInNets } from './end-addresses.ts';
import {
  endpointTest,
  isInNamespace,
  isPod,
  namespaceLabels,
  ownNamespace,
  podLabels,
  serviceAccountLabel,
  serviceAccountPrefix,
  type EndpointSelector,
} from './ends.ts';
import type { CompiledRule, CompiledSpec, ReplayFlow, RuleAtom } from './policy.ts';
import { isInPorts } from './ports.ts';
import { negated, valueIn, withPrefix, type Selector } from './selector.ts';
import type { CalicoEntity, CalicoRule } from './shapes/calico-rule.ts';
import type { CalicoSpec } from './shapes/calico.ts';

/** A Calico policy, staged or not; `namespace` undefined for a global one. @throws SelectorError */
export function compileCalico(
  { name, namespace, spec }: { name: string; namespace: string | undefined; spec: CalicoSpec },
  cluster: ClusterFacts,
): CompiledSpec {
  const pods = compileSelector(spec.selector);
  const namespaces = compileSelector(spec.namespaceSelector ?? '');
  const serviceAccounts = withPrefix(
    serviceAccountPrefix,
    compileSelector(spec.serviceAccountSelector ?? ''),
  );
  // Calico applies these policies to host endpoints only.
  const isForHosts = spec.doNotTrack === true || spec.preDNAT === true;
  const hasEgress = spec.egress !== undefined && spec.egress.length > 0;
  const hasIngress = spec.ingress !== undefined && spec.ingress.length > 0;
  const types = spec.types ?? [
    ...(hasIngress || !hasEgress ? (['Ingress'] as const) : []),
    ...(hasEgress ? (['Egress'] as const) : []),
  ];
  const compiled = (rules: readonly CalicoRule[] | undefined) =>
    (rules ?? []).flatMap((rule, index) => compileRule(rule, index, namespace, cluster));
  return {
    name,
    tier: spec.tier,
    order: spec.order ?? Number.POSITIVE_INFINITY,
    selects: (end) => {
      if (isForHosts || !isPod(end) || (namespace !== undefined && end.ns !== namespace)) return 'no';
      const labels = podLabels(end, cluster);
      return both(
        namespaces(namespaceLabels(end, cluster.namespaces)),
        pods(labels),
        serviceAccounts(labels),
      );
    },
    ...(types.includes('Egress') ? { egress: compiled(spec.egress) } : {}),
    ...(types.includes('Ingress') ? { ingress: compiled(spec.ingress) } : {}),
  };
}

/**
 * Log rules do not decide and are dropped. HTTP fields restrict requests, not connections: the dataplane ignores them,
 * and Dikastes evaluates them for each request.
 */
function compileRule(
  rule: CalicoRule,
  index: number,
  namespace: string | undefined,
  cluster: ClusterFacts,
): CompiledRule[] {
  const action = actions[rule.action];
  if (action === undefined) return [];
  const source = entityTest(rule.source, namespace, cluster);
  const destination = entityTest(rule.destination, namespace, cluster);
  const services = [
    serviceTest('source', rule.source?.services, namespace),
    serviceTest('destination', rule.destination?.services, namespace),
  ].flatMap((test) => test ?? []);
  const { protocol, notProtocol, ipVersion } = rule;
  const notPorts = rule.destination?.notPorts;
  // The type of an ICMP message is not stored, nor are source ports.
  const asksMore = (rule.icmp ?? rule.notICMP ?? rule.source?.ports ?? rule.source?.notPorts) !== undefined;
  const common: FlowTest[] = [
    ...(protocol === undefined ? [] : [protocolTest(protocol)]),
    ...(notProtocol === undefined ? [] : [inverted(protocolTest(notProtocol))]),
    ...(ipVersion === undefined ? [] : [(flow: ReplayFlow) => known(ipVersion === flow.version)]),
    ...(notPorts ?? []).map((port) => inverted(portTest(port))),
    ...(asksMore ? [() => 'unknown' as const] : []),
    (flow) => source(flow.src, flow),
    (flow) => destination(flow.dst, flow),
    ...services,
  ];
  const text = [
    rule.protocol === undefined ? 'any protocol' : String(rule.protocol),
    ...(rule.source === undefined ? [] : [`from ${entityText(rule.source)}`]),
    ...(rule.destination === undefined ? [] : [`to ${entityText(rule.destination)}`]),
  ].join(' ');
  const ports = rule.destination?.ports;
  const atoms: RuleAtom[] =
    ports === undefined || ports.length === 0
      ? [{ text, matches: (flow) => every(common, flow) }]
      : ports.map((port) => {
          const tests = [portTest(port), ...common];
          return { text: `${text}, port ${port}`, matches: (flow) => every(tests, flow) };
        });
  return [{ index, action, atoms }];
}

/**
 * Which addresses and ports belong to a Service is not stored. As a destination, a Service stands for its endpoints
 * with their ports; as a source, for their addresses.
 */
function serviceTest(
  side: 'source' | 'destination',
  service: CalicoEntity['services'],
  namespace: string | undefined,
): FlowTest | undefined {
  if (service === undefined) return undefined;
  const text = `belongs to the Service ${service.namespace ?? namespace ?? ''}/${service.name ?? ''}`;
  const test = { text, holds: () => true };
  return ({ src, dst, protocol, port }) => {
    if (side === 'source') return src.assume?.('service', test) ?? 'unknown';
    if (!['tcp', 'udp', 'sctp'].includes(protocol)) return 'no';
    return dst.assume?.('service', { ...test, text: `${text}, ${protocol} ${port}` }) ?? 'unknown';
  };
}

const actions: Record<CalicoRule['action'], CompiledRule['action'] | undefined> = {
  Allow: 'allow',
  Deny: 'deny',
  Pass: 'pass',
  Log: undefined,
};

type FlowTest = (flow: ReplayFlow) => Answer;
type EndTest = (end: ReplayFlow['src'], flow: ReplayFlow) => Answer;

function entityTest(
  entity: CalicoEntity | undefined,
  ownNamespaceName: string | undefined,
  cluster: ClusterFacts,
): EndTest {
  if (entity === undefined) return () => 'yes';
  const { notSelector } = entity;
  const nets = entity.nets && netsOf(entity.nets);
  const notNets = entity.notNets && netsOf(entity.notNets);
  const parts: EndTest[] = [];
  if (nets) parts.push((end, { version }) => isInNets(nets, end, version, cluster));
  if (notNets) parts.push((end, { version }) => not(isInNets(notNets, end, version, cluster)));
  const selected = endpointSelector(entity, ownNamespaceName);
  const excluded = notSelector === undefined ? undefined : compileSelector(notSelector);
  if (selected) {
    // The notSelector reduces what the rule selects: it does not exclude an address that another object covers as well.
    const { namespace, labels } = selected;
    const reduced: EndpointSelector =
      excluded === undefined
        ? selected
        : { namespace, labels: (lookup) => both(labels(lookup), not(excluded(lookup))) };
    const isSelected = endpointTest(reduced, cluster);
    parts.push((end, { version }) => isSelected(end, version));
  } else if (excluded) {
    const isExcluded = endpointTest({ namespace: () => 'yes', labels: excluded }, cluster);
    parts.push((end, { version }) => not(isExcluded(end, version)));
  }
  return (end, flow) => both(...parts.map((part) => part(end, flow)));
}

/**
 * What a rule selects; undefined if it has no selector. In a namespaced policy, any selector, including notSelector,
 * restricts the rule to its namespace. Source: Calico's conversion of rules (GetEntityRuleSelector).
 */
function endpointSelector(
  { selector, notSelector, namespaceSelector, serviceAccounts }: CalicoEntity,
  ownNamespaceName: string | undefined,
): EndpointSelector | undefined {
  const account = serviceAccountSelector(serviceAccounts);
  const own = selector === undefined ? [] : [compileSelector(selector)];
  const parts = [...own, ...(account ? [account] : [])];
  const labels: Selector = (lookup) => both(...parts.map((part) => part(lookup)));
  if (namespaceSelector !== undefined)
    return { namespace: compileSelector(namespaceSelector, namespaceCalls), labels };
  if (ownNamespaceName !== undefined && (parts.length > 0 || notSelector !== undefined))
    return { namespace: ownNamespace(ownNamespaceName), labels };
  return parts.length === 0 ? undefined : { namespace: () => 'yes', labels };
}

/** Undefined if the match names neither accounts nor a selector. */
function serviceAccountSelector(match: CalicoEntity['serviceAccounts']): Selector | undefined {
  const { names = [], selector } = match ?? {};
  const parts = [
    ...(names.length === 0 ? [] : [valueIn(serviceAccountLabel, names)]),
    ...(selector === undefined ? [] : [withPrefix(serviceAccountPrefix, compileSelector(selector))]),
  ];
  return parts.length === 0 ? undefined : (labels) => both(...parts.map((part) => part(labels)));
}

/** In a namespaceSelector, all() means everything in any namespace, and global() everything in none. */
const namespaceCalls: SelectorCalls = {
  all: isInNamespace,
  global: negated(isInNamespace),
};

function entityText(entity: CalicoEntity): string {
  const { nets, notNets, selector, notSelector, namespaceSelector, services, serviceAccounts } = entity;
  const { names = [], selector: accounts } = serviceAccounts ?? {};
  const parts = [
    ...(services === undefined ? [] : [`the Service ${services.namespace ?? ''}/${services.name ?? ''}`]),
    ...(names.length === 0 ? [] : [`service accounts ${names.join(', ')}`]),
    ...(accounts === undefined ? [] : [`service accounts ${accounts}`]),
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

function protocolTest(written: string | number): FlowTest {
  const wanted = protocolName(String(written).toLowerCase());
  return ({ protocol }) => known(protocolName(protocol) === wanted);
}

function protocolName(text: string): string {
  return text === 'icmp6' ? 'icmpv6' : (protocolNumbers[text] ?? text);
}

/** A number, a range `80:90`, or the name of a pod's port, which is not stored. */
function portTest(port: number | string): FlowTest {
  const [, from, to] = /^(\d+)(?::(\d+))?$/.exec(String(port)) ?? [];
  if (from === undefined) return () => 'unknown';
  const [first, last] = [Number(from), Number(to ?? from)];
  return (flow) => isInPorts(flow.port, first, last);
}

function inverted(test: FlowTest): FlowTest {
  return (flow) => not(test(flow));
}
