import { counted } from '../../text/counted.ts';
import type { FlowEvidence, TracedEvidence } from '../../trail/facts/evidence.ts';
import { describeSubject } from './describe-ends.ts';
import { directionOf, peerOf, reportedSubject, subjectKey } from './direction.ts';
import type { Direction } from './model.ts';
import { groupBy, sortedBy } from '../../text/order.ts';
import { flowsOf } from './sighting.ts';
import { describeHit, isStaged, readTrace, verdictOf, type Verdict } from './trace.ts';

/** Findings about the evidence from the policy traces of the facts. */
export interface TraceFindings {
  /**
   * The staged policy, if every known verdict of the fact names one (projectcalico/calico#13410); the one with most
   * flows first.
   */
  misreportedBy(fact: FlowEvidence): string | undefined;
  /** Warnings about existing broad rules that would allow traffic that a derived policy omits. */
  catchAlls(namespace: string, direction: Direction): readonly string[];
}

export const noTraces: TraceFindings = { misreportedBy: () => undefined, catchAlls: () => [] };

/** Evaluates the traces of a set of facts in one pass. Pure. */
export function traceFindings(traced: readonly TracedEvidence[]): TraceFindings {
  const verdicts = traced.flatMap((fact) => {
    const trace = readTrace(fact.trace);
    const verdict = trace && verdictOf(trace.enforced);
    return verdict ? [{ fact, verdict }] : [];
  });
  const misreported = new Map(
    [...groupBy(verdicts, ({ fact }) => traceKey(fact))].flatMap(([key, group]) => {
      if (!group.every(({ verdict }) => isStaged(verdict.hit))) return [];
      const [busiest] = sortedBy(group, ({ fact, verdict }) => [-fact.flowCount, describeHit(verdict.hit)]);
      return busiest ? [[key, describeHit(busiest.verdict.hit)] as const] : [];
    }),
  );
  const allowing = groupBy(
    verdicts.filter(({ verdict }) => verdict.action === 'allow' && mayFollowAPolicy(verdict)),
    ({ fact }) => subjectKey(reportedSubject(fact)),
  );
  return {
    misreportedBy: (fact) => misreported.get(traceKey(fact)),
    catchAlls(namespace, direction) {
      const rules = groupBy(allowing.get(subjectKey({ namespace, direction })) ?? [], ({ verdict }) =>
        describeHit(verdict.hit),
      );
      const broad = [...rules].flatMap(([rule, group]) => {
        const facts = group.map(({ fact }) => fact);
        return isBroad(group[0].verdict.hit.k, facts) ? [{ rule, flowCount: flowsOf(facts) }] : [];
      });
      return sortedBy(broad, ({ rule, flowCount }) => [-flowCount, rule]).map(
        ({ rule, flowCount }) =>
          `${rule} allows ${counted(flowCount, 'flow')} today (${describeSubject(direction, namespace)}). While that rule exists, traffic that it matches stays allowed even if this policy omits it`,
      );
    },
  };
}

/** The tiers of baseline policies, which follow the default tier, in Calico 3.30 and 3.31, and since 3.32. */
const baselineTiers = new Set(['baselineadminnetworkpolicy', 'kube-baseline']);
/** Kinds of policies that apply to all namespaces. */
const globalKinds = new Set(['GlobalNetworkPolicy', 'AdminNetworkPolicy', 'ClusterNetworkPolicy']);

/** A profile decides only if no policy selects the pod, and a baseline policy only after the derived one. */
function mayFollowAPolicy({ hit }: Verdict): boolean {
  return (
    !isStaged(hit) &&
    hit.k !== 'Profile' &&
    hit.k !== 'BaselineAdminNetworkPolicy' &&
    !baselineTiers.has(hit.t ?? '')
  );
}

/**
 * A rule used for several peers and several ports is a catch-all; so is a rule of a global policy, unless it is only
 * for DNS.
 */
function isBroad(kind: string, facts: readonly TracedEvidence[]): boolean {
  if (globalKinds.has(kind)) return facts.some(({ port }) => port !== 53);
  const peers = new Set(facts.map((fact) => endText(peerOf(directionOf(fact), fact))));
  const ports = new Set(facts.map(({ protocol, port }) => `${protocol} ${port}`));
  return peers.size > 1 && ports.size > 1;
}

function endText({ kind, ns, identity }: FlowEvidence['src']): string {
  return [kind, ns, identity].join('\n');
}

/** Equal for a fact and its traces. */
export function traceKey({
  src,
  dst,
  protocol,
  port,
  reporter,
  action,
}: Pick<FlowEvidence, 'src' | 'dst' | 'protocol' | 'port' | 'reporter' | 'action'>): string {
  return [endText(src), endText(dst), protocol, port, reporter, action].join('\n');
}
