import type { FlowEvidence } from '../../trail/facts/evidence.ts';
import { arrivals } from './arrivals.ts';
import { baselineRules } from './baseline.ts';
import { describeEnd } from './describe-ends.ts';
import { dnsWarnings } from './dns-warnings.ts';
import { directionOf, ownEndOf, peerOf, toOrFrom } from './direction.ts';
import { isAllowedToday, leftOutOf, reasonToLeaveOut, thingKey, type Judged } from './left-out.ts';
import type { DerivedPolicy, DeriveOptions, Direction, LeftOut, NamespaceStatus } from './model.ts';
import { compareText, sortedBy } from '../../text/order.ts';
import { isLabelValue, isNamespaceName } from '../../text/kubernetes-names.ts';
import { beyondCap, observedRules, portText } from './rules.ts';
import { reopenedByRules } from './reopened.ts';
import { minute } from './sighting.ts';
import { foreignNetworkSets } from './foreign-network-sets.ts';
import { seenOnOneDay } from './seen-on-one-day.ts';
import { leastComplete } from './status.ts';
import { noTraces, type TraceFindings } from './trace-findings.ts';

/** The derived policies, and the namespaces without one, with the reason. */
export interface DerivedAllowlist {
  readonly policies: readonly DerivedPolicy[];
  readonly without: readonly { readonly namespace: string; readonly why: string }[];
}

/**
 * Turns facts into policies: per namespace, or per service identity where every fact of the namespace has one. Egress
 * rules are based on reports of sources, ingress rules on reports of destinations. The same facts, in any order, give
 * the same policies. Pure.
 *
 * @param evidence the facts of both reporters for every flow that begins or ends in the namespaces
 * @param statusOf assesses the facts of one direction; `changes` are those that can make it unstable
 * @param namespaces default: every namespace in the facts
 * @param traces findings in the policy traces of the same facts
 */
export function deriveAllowlist(
  evidence: readonly FlowEvidence[],
  statusOf: (facts: readonly FlowEvidence[], changes: readonly FlowEvidence[]) => NamespaceStatus,
  options: DeriveOptions,
  namespaces?: readonly string[],
  traces: TraceFindings = noTraces,
): DerivedAllowlist {
  const arrivalOf = arrivals(
    evidence.filter((fact) => fact.action !== 'deny' || traces.misreportedBy(fact) === undefined),
  );
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
      const reason = reasonToLeaveOut(
        direction,
        fact,
        arrival,
        traces.misreportedBy(fact) !== undefined,
        options,
      );
      list.push({ fact, arrival, reason });
    }
  const wanted = [...new Set(namespaces ?? judged.keys())].toSorted(compareText);
  const policies: DerivedPolicy[] = [];
  const without: { namespace: string; why: string }[] = [];
  for (const namespace of wanted) {
    const ofNamespace = judged.get(namespace);
    if (!ofNamespace) {
      without.push({
        namespace,
        why: `no ${options.directions.join(' or ')} flow was observed in the period`,
      });
      continue;
    }
    const statuses = new Map(
      [...ofNamespace].map(([direction, list]) => [
        direction,
        statusOf(
          list.map(({ fact }) => fact),
          changesOf(direction, list),
        ),
      ]),
    );
    const derived = policiesOf(namespace, ofNamespace, statuses, options);
    if (derived.length === 0)
      without.push({
        namespace,
        why: 'no allowed flow was observed; a denied flow is not evidence for a rule',
      });
    policies.push(
      ...derived.map((policy) => ({
        ...policy,
        warnings: [
          ...policy.warnings,
          ...policy.directions.flatMap((way) => traces.catchAlls(namespace, way)),
        ],
      })),
    );
  }
  return { policies, without };
}

/**
 * Facts that count as new traffic: all of the egress, because a denied attempt of the namespace's own pods also needs a
 * decision, and the allowed ingress. Otherwise, any pod could keep the namespace unstable with connections that are denied.
 */
function changesOf(direction: Direction, list: readonly Judged[]): FlowEvidence[] {
  return list.filter((entry) => direction === 'egress' || isAllowedToday(entry)).map(({ fact }) => fact);
}

/** The end whose policy the reporter evaluated; undefined if the fact does not cover this direction. */
export function subjectOf(direction: Direction, fact: FlowEvidence): FlowEvidence['src'] | undefined {
  const subject = ownEndOf(direction, fact);
  if (directionOf(fact) !== direction || subject.kind !== 'workload' || !isNamespaceName(subject.ns))
    return undefined;
  return isLabelValue(subject.identity) ? subject : { ...subject, identity: '' };
}

function policiesOf(
  namespace: string,
  ofNamespace: ReadonlyMap<Direction, readonly Judged[]>,
  statuses: ReadonlyMap<Direction, NamespaceStatus>,
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
    const policy = policyOf({ namespace, identity }, chosen, statuses, options);
    if (policy === undefined) return [];
    const note = isNamed
      ? `selects pods by the label ${options.identityLabel}; a pod of ${namespace} without it is not selected`
      : options.identities
        ? `selects every pod of ${namespace}: ${options.limitedNamespaces?.has(namespace) === true ? beyondCap : `some of its flows did not have the label ${options.identityLabel}`}`
        : `selects every pod of ${namespace}: service identities are disabled`;
    return [{ ...policy, warnings: isWidened ? [note, ...policy.warnings] : policy.warnings }];
  });
}

function policyOf(
  subject: Pick<DerivedPolicy, 'namespace' | 'identity'>,
  chosen: ReadonlyMap<Direction, readonly Judged[]>,
  statuses: ReadonlyMap<Direction, NamespaceStatus>,
  options: DeriveOptions,
): DerivedPolicy | undefined {
  const parts = options.directions.flatMap((direction) => {
    const list = chosen.get(direction) ?? [];
    const status = statuses.get(direction);
    if (status === undefined || !list.some(isAllowedToday)) return [];
    return [{ direction, status, ...directionPartOf(direction, list, status, options) }];
  });
  const [first, ...others] = parts;
  if (first === undefined) return undefined;
  const unseen = options.directions.filter((way) => parts.every(({ direction }) => direction !== way));
  return {
    ...subject,
    directions: parts.map(({ direction }) => direction),
    rules: parts.flatMap(({ rules }) => rules),
    leftOut: parts.flatMap(({ leftOut }) => leftOut),
    warnings: [
      ...unseen.map((way) => `does not restrict ${way}: no allowed ${way} flow was observed`),
      ...parts.flatMap(({ rules }) => foreignNetworkSets(subject.namespace, rules)),
      ...parts.flatMap(({ warnings }) => warnings),
    ],
    statuses: parts.map(({ direction, status }) => ({ direction, status })),
    status: leastComplete(
      first.status,
      others.map(({ status }) => status),
    ),
  };
}

function directionPartOf(
  direction: Direction,
  list: readonly Judged[],
  status: NamespaceStatus,
  options: DeriveOptions,
): Pick<DerivedPolicy, 'rules' | 'leftOut' | 'warnings'> {
  const allowed = sortedBy(
    list.filter(({ reason }) => reason === undefined),
    ({ fact }) => factKey(fact),
  );
  const facts = allowed.map(({ fact }) => fact);
  const observed = observedRules(direction, facts, options);
  const baseline = direction === 'egress' ? baselineRules(options.baseline, facts) : [];
  const allowedThings = new Set(facts.map((fact) => thingKey(peerOf(direction, fact), fact)));
  const all = leftOutOf(direction, list);
  const isChanged = (entry: LeftOut) =>
    entry.reason === 'blocked' && allowedThings.has(thingKey(entry.peer, entry));
  const changed = all.filter(isChanged);
  const leftOut = all.filter((entry) => !isChanged(entry));
  const rules = [...baseline, ...observed.rules];
  const contested = allowed.filter(({ arrival }) => arrival === 'contested').map(contestedWarning);
  return {
    rules,
    leftOut,
    warnings: [
      ...observed.warnings,
      ...(status.verdict === 'learning' ? [] : seenOnOneDay(observed.rules)),
      ...new Set(contested),
      ...changed.map(changedWarning),
      ...reopenedByRules(rules, leftOut),
      ...dnsWarnings(rules, leftOut),
    ],
  };
}

function contestedWarning({ fact }: Judged): string {
  return `egress to ${fact.dst.ns || fact.dst.identity} ${portText(fact)} is allowed here; the destination both allowed and denied it (last seen ${minute(fact.lastSeconds)}): check its ingress policies`;
}

/** The same traffic was allowed at one time or for one pod and denied at another time or for another pod. */
function changedWarning({ direction, peer, protocol, port, sighting }: LeftOut): string {
  return `${direction} ${toOrFrom(direction)} ${describeEnd(peer)} ${portText({ protocol, port })} was both allowed and denied (last denied ${minute(sighting.lastSeconds)}); this policy allows it`;
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
