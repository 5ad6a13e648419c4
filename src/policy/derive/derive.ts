import type { FlowEvidence } from '../../trail/evidence.ts';
import { arrivals, type Arrival } from './blocked.ts';
import { baselineRules } from './baseline.ts';
import { describeEnd, toOrFrom } from './describe.ts';
import {
  manyPorts,
  type DerivedPolicy,
  type DeriveOptions,
  type Direction,
  type LeftOut,
  type LeftOutReason,
  type NamespaceStatus,
} from './model.ts';
import { compareText, groupBy, sortedBy } from './order.ts';
import { isLabelValue, isNamespaceName } from './names.ts';
import { hasPorts, observedRules, peerOf, portText } from './rules.ts';
import { mergeSightings, minute } from './sighting.ts';

/** What was derived, and for which namespaces nothing was, and why. */
export interface DerivedAllowlist {
  readonly policies: readonly DerivedPolicy[];
  readonly without: readonly { readonly namespace: string; readonly why: string }[];
}

interface Judged {
  fact: FlowEvidence;
  arrival: Arrival;
  /** Undefined: it becomes a rule. */
  reason: LeftOutReason | undefined;
}

/**
 * Turns facts into policies: per namespace, or per service identity where every fact of the namespace has one. Egress
 * rests on what sources reported, ingress on what destinations reported. The same facts, in whatever order, give the
 * same policies. Pure.
 *
 * @param evidence must hold both reporters' facts, of all that begins or ends in the namespaces
 * @param namespaces default: every namespace that the facts name
 */
export function deriveAllowlist(
  evidence: readonly FlowEvidence[],
  statusOf: (facts: readonly FlowEvidence[]) => NamespaceStatus,
  options: DeriveOptions,
  namespaces?: readonly string[],
): DerivedAllowlist {
  const arrivalOf = arrivals(evidence);
  const judged = new Map<string, Map<Direction, Judged[]>>();
  for (const fact of evidence)
    for (const direction of options.directions) {
      const subject = subjectOf(direction, fact);
      if (subject === undefined) continue;
      const arrival = direction === 'egress' && fact.action === 'allow' ? arrivalOf(fact) : 'arrived';
      const ofNamespace = judged.get(subject.ns) ?? new Map<Direction, Judged[]>();
      judged.set(subject.ns, ofNamespace);
      const list = ofNamespace.get(direction) ?? [];
      ofNamespace.set(direction, list);
      list.push({ fact, arrival, reason: reasonToLeaveOut(direction, fact, arrival, options) });
    }
  const wanted = [...new Set(namespaces ?? judged.keys())].toSorted(compareText);
  const policies: DerivedPolicy[] = [];
  const without: { namespace: string; why: string }[] = [];
  for (const namespace of wanted) {
    const ofNamespace = judged.get(namespace);
    if (!ofNamespace) {
      without.push({
        namespace,
        why: `no ${options.directions.join(' or ')} of it was observed in the period`,
      });
      continue;
    }
    const facts = [...ofNamespace.values()].flatMap((list) => list.map(({ fact }) => fact));
    const status = statusOf(facts);
    const derived = policiesOf(namespace, ofNamespace, status, options);
    if (derived.length === 0)
      without.push({ namespace, why: 'nothing was observed to be allowed; what was denied is no evidence' });
    policies.push(...derived);
  }
  return { policies, without };
}

/** Whose policy decides on the fact, as far as this reporter tells; undefined: it tells nothing in this direction. */
export function subjectOf(direction: Direction, fact: FlowEvidence): FlowEvidence['src'] | undefined {
  const [reporter, subject] = direction === 'egress' ? (['src', fact.src] as const) : ['dst', fact.dst];
  if (fact.reporter !== reporter || subject.kind !== 'workload' || !isNamespaceName(subject.ns))
    return undefined;
  return isLabelValue(subject.identity) ? subject : { ...subject, identity: '' };
}

function reasonToLeaveOut(
  direction: Direction,
  fact: FlowEvidence,
  arrival: Arrival,
  { allowManyPorts }: DeriveOptions,
): LeftOutReason | undefined {
  if (fact.action === 'deny' || arrival === 'blocked') return 'blocked';
  if (fact.action !== 'allow') return 'undecided';
  const peer = peerOf(direction, fact);
  switch (peer.kind) {
    case 'network':
      return 'external';
    case 'host':
      return 'host';
    case 'unspecified':
      return 'unnamed';
    case 'workload':
      if (!isNamespaceName(peer.ns) || (peer.identity !== '' && !isLabelValue(peer.identity)))
        return 'unnamed';
      break;
    case 'networkset':
      if (!isLabelValue(peer.identity) || (peer.ns !== '' && !isNamespaceName(peer.ns))) return 'unnamed';
      break;
  }
  if (fact.port === manyPorts) return allowManyPorts ? undefined : 'many-ports';
  return fact.port === 0 && hasPorts(fact.protocol) ? 'unnamed' : undefined;
}

function policiesOf(
  namespace: string,
  ofNamespace: ReadonlyMap<Direction, readonly Judged[]>,
  status: NamespaceStatus,
  options: DeriveOptions,
): DerivedPolicy[] {
  const identityOf = (direction: Direction, { fact }: Judged) => subjectOf(direction, fact)?.identity ?? '';
  const identities = new Set(
    [...ofNamespace].flatMap(([direction, list]) => list.map((entry) => identityOf(direction, entry))),
  );
  const isWidened = identities.size > (identities.has('') ? 1 : 0);
  const isNamed = options.identities && !identities.has('');
  return (isNamed ? [...identities].toSorted(compareText) : ['']).flatMap((identity) => {
    const chosen = new Map(
      [...ofNamespace].map(([direction, list]) => [
        direction,
        isNamed ? list.filter((entry) => identityOf(direction, entry) === identity) : list,
      ]),
    );
    const policy = policyOf({ namespace, identity, status }, chosen, options);
    if (policy === undefined) return [];
    const note = isNamed
      ? `selects pods by the label ${options.identityLabel}; a pod of ${namespace} without it is not selected`
      : options.identities
        ? `selects every pod of ${namespace}: not every flow of it carried the label ${options.identityLabel}`
        : `selects every pod of ${namespace}, whatever its service identity: identities were not asked for`;
    return [{ ...policy, warnings: isWidened ? [note, ...policy.warnings] : policy.warnings }];
  });
}

function policyOf(
  subject: Pick<DerivedPolicy, 'namespace' | 'identity' | 'status'>,
  chosen: ReadonlyMap<Direction, readonly Judged[]>,
  options: DeriveOptions,
): DerivedPolicy | undefined {
  const parts = options.directions.flatMap((direction) => {
    const list = chosen.get(direction) ?? [];
    if (!list.some(({ reason }) => reason !== 'blocked' && reason !== 'undecided')) return [];
    const allowed = sortedBy(
      list.filter(({ reason }) => reason === undefined),
      ({ fact }) => factKey(fact),
    );
    const { rules, warnings } = observedRules(
      direction,
      allowed.map(({ fact }) => fact),
      options,
    );
    const allowedThings = new Set(allowed.map(({ fact }) => thingKey(peerOf(direction, fact), fact)));
    const leftOut = leftOutOf(direction, list);
    const changed = leftOut.filter(
      (entry) => entry.reason === 'blocked' && allowedThings.has(thingKey(entry.peer, entry)),
    );
    const contested = allowed.filter(({ arrival }) => arrival === 'contested').map(contestedWarning);
    return [
      {
        direction,
        rules: direction === 'egress' ? [...baselineRules(options.baseline), ...rules] : rules,
        warnings: [...warnings, ...new Set(contested), ...changed.map(changedWarning)],
        leftOut: leftOut.filter((entry) => !changed.includes(entry)),
      },
    ];
  });
  if (parts.length === 0) return undefined;
  return {
    ...subject,
    directions: parts.map(({ direction }) => direction),
    rules: parts.flatMap(({ rules }) => rules),
    leftOut: parts.flatMap(({ leftOut }) => leftOut),
    warnings: parts.flatMap(({ warnings }) => warnings),
  };
}

function contestedWarning({ fact }: Judged): string {
  return `egress to ${fact.dst.ns || fact.dst.identity} ${portText(fact)} is allowed, and the destination both let it in and denied it (seen until ${minute(fact.lastSeconds)}): look at its ingress policies`;
}

/** Policy let the same thing through at one time and not at another, or for one pod and not for another. */
function changedWarning({ direction, peer, protocol, port, sighting }: LeftOut): string {
  return `${direction} ${toOrFrom(direction)} ${describeEnd(peer)} ${portText({ protocol, port })} was both allowed and denied (denied until ${minute(sighting.lastSeconds)}): it is allowed here`;
}

function thingKey({ kind, ns, identity }: LeftOut['peer'], how: { protocol: string; port: number }): string {
  return [kind, ns, identity, how.protocol, how.port].join('\n');
}

/** One entry per reason, other end, protocol and port, whoever of the subject it was. */
function leftOutOf(direction: Direction, list: readonly Judged[]): LeftOut[] {
  const grouped = groupBy(
    list.filter(({ reason }) => reason !== undefined),
    ({ fact, reason }) => {
      const { kind, ns, identity } = peerOf(direction, fact);
      return [reason, kind, ns, identity, fact.protocol, fact.port].join('\n');
    },
  );
  const entries = [...grouped.values()].flatMap(([first, ...others]): LeftOut[] => {
    const { fact, reason } = first;
    if (reason === undefined) return [];
    return [
      {
        direction,
        reason,
        peer: peerOf(direction, fact),
        protocol: fact.protocol,
        port: fact.port,
        sighting: mergeSightings(fact, ...others.map((other) => other.fact)),
      },
    ];
  });
  return sortedBy(entries, ({ reason, peer, protocol, port }) => [
    reason,
    peer.ns,
    peer.kind,
    peer.identity,
    protocol,
    port,
  ]);
}

function factKey({ src, dst, protocol, port, action, firstSeconds }: FlowEvidence): (string | number)[] {
  return [
    dst.ns,
    dst.kind,
    dst.identity,
    src.ns,
    src.kind,
    src.identity,
    protocol,
    port,
    action,
    firstSeconds,
  ];
}
