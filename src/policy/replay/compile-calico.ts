import { manyPorts } from '../derive/model.ts';
import { both, either, known, not, type Answer } from './answer.ts';
import { isInNets, isPod, namespaceLabels, podLabels } from './ends.ts';
import type { CalicoEntity, CalicoRule, CalicoSpec } from './manifest.ts';
import type { CompiledPolicy, CompiledRule, ReplayFlow, RuleAtom } from './policy.ts';
import { compileSelector, type Selector } from './selector.ts';

/** A Calico policy, staged or not; `namespace` undefined for a global one. @throws SelectorError */
export function compileCalico(
  { name, namespace, spec }: { name: string; namespace: string | undefined; spec: CalicoSpec },
  identityLabel: string,
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
    (rules ?? []).flatMap((rule) => compileRule(rule, namespace, identityLabel));
  return {
    name,
    tier: spec.tier,
    order: spec.order ?? Number.POSITIVE_INFINITY,
    selects: (end) => {
      if (!isPod(end) || (namespace !== undefined && end.ns !== namespace)) return 'no';
      return both(namespaces(namespaceLabels(end.ns)), pods(podLabels(end, identityLabel)));
    },
    ...(types.includes('Egress') ? { egress: compiled(spec.egress) } : {}),
    ...(types.includes('Ingress') ? { ingress: compiled(spec.ingress) } : {}),
  };
}

/** Log decides nothing: it leaves no rule. */
function compileRule(rule: CalicoRule, namespace: string | undefined, identityLabel: string): CompiledRule[] {
  const action = actions[rule.action];
  if (action === undefined) return [];
  const source = entityTest(rule.source, namespace, identityLabel);
  const destination = entityTest(rule.destination, namespace, identityLabel);
  const common = (flow: ReplayFlow) =>
    both(
      rule.protocol === undefined ? 'yes' : known(isProtocol(rule.protocol, flow.protocol)),
      rule.notProtocol === undefined ? 'yes' : known(!isProtocol(rule.notProtocol, flow.protocol)),
      // Neither the version of an address nor the type of an ICMP message is kept.
      rule.ipVersion === undefined && rule.icmp === undefined && rule.notICMP === undefined
        ? 'yes'
        : 'unknown',
      // Nor is a source port.
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
  ownNamespace: string | undefined,
  identityLabel: string,
): (end: ReplayFlow['src']) => Answer {
  if (entity === undefined) return () => 'yes';
  const { nets, notNets, selector, notSelector, namespaceSelector } = entity;
  const parts: ((end: ReplayFlow['src']) => Answer)[] = [];
  if (nets) parts.push(() => isInNets(nets));
  if (notNets) parts.push(() => not(isInNets(notNets)));
  if (notSelector !== undefined) {
    const excluded = compileSelector(notSelector);
    parts.push((end) =>
      isPod(end)
        ? not(excluded(podLabels(end, identityLabel)))
        : end.kind === 'networkset'
          ? 'unknown'
          : 'yes',
    );
  }
  if (selector !== undefined || namespaceSelector !== undefined) {
    const selected = compileSelector(selector ?? '');
    const inNamespace = namespaceTest(namespaceSelector, ownNamespace);
    parts.push((end) => {
      if (isPod(end)) return both(inNamespace(end.ns), selected(podLabels(end, identityLabel)));
      // A network set's labels are not kept, and a host's endpoint may have some.
      if (end.kind === 'networkset' || end.kind === 'host')
        return both(
          inNamespace(end.ns),
          selected(() => 'unknown'),
        );
      return 'no';
    });
  }
  return (end) => both(...parts.map((part) => part(end)));
}

/** Which namespaces a selector looks at; '' is none: global network sets and hosts. */
function namespaceTest(
  namespaceSelector: string | undefined,
  ownNamespace: string | undefined,
): (ns: string) => Answer {
  if (namespaceSelector === undefined || namespaceSelector.trim() === '')
    return (ns) => known(ownNamespace === undefined || ns === ownNamespace);
  if (namespaceSelector.trim() === 'global()') return (ns) => known(ns === '');
  const namespaces: Selector = compileSelector(namespaceSelector);
  return (ns) => (ns === '' ? 'no' : namespaces(namespaceLabels(ns)));
}

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

/** A number, a range `80:90`, or the name of a pod's port, which is not kept. */
function portMatches(port: number | string, flow: ReplayFlow): Answer {
  if (flow.port === manyPorts) return 'unknown';
  if (typeof port === 'number') return known(flow.port === port);
  const [, from, to] = /^(\d+)(?::(\d+))?$/.exec(port) ?? [];
  if (from === undefined) return 'unknown';
  return known(flow.port >= Number(from) && flow.port <= Number(to ?? from));
}
