import type { FlowEvidence, TracedEvidence } from '../../trail/facts/evidence.ts';
import { arrivals } from './arrivals.ts';
import { describeEnd, isReservedName } from './describe-ends.ts';
import type { EvidenceEnd } from './model.ts';
import { groupBy, sortedBy } from '../../text/order.ts';
import { portText } from './rules.ts';
import { mergeTotals } from './sighting.ts';
import { describeHit, isStaged, readTrace, verdictOf } from './trace.ts';
import { traceKey } from './trace-findings.ts';

/** One fact of a pair, with its policies. */
export interface ExplainedFact {
  readonly src: string;
  readonly dst: string;
  /** `tcp 443`. */
  readonly port: string;
  readonly reporter: FlowEvidence['reporter'];
  readonly action: FlowEvidence['action'];
  readonly firstSeconds: number;
  readonly lastSeconds: number;
  readonly days: number;
  readonly flowCount: number;
  /** The destination's action on a flow that the source allowed. */
  readonly note?: 'blocked at the destination' | 'both allowed and denied at the destination';
  /** The deciding policies, with count and last time, most frequent first. */
  readonly decidedBy: readonly {
    readonly policy: string;
    readonly flowCount: number;
    readonly lastSeconds: number;
  }[];
}

/**
 * Returns a matcher for ends by name: a namespace (with all its identities and network sets), `namespace/identity`, or
 * any end as printed by `edges`, `staged`, `replay` and this module: `pub`, `pvt`, `host`, `network set shop/partners`,
 * `namespace pub`.
 */
export function endMatcher(text: string): (end: EvidenceEnd) => boolean {
  const namespace = isReservedName(text) ? '' : namespaceText(text);
  return (end) => describeEnd(end) === text || (end.ns !== '' && end.ns === namespace);
}

/** The text without the prefix that distinguishes a namespace called `pub` from public addresses. */
export function namespaceText(text: string): string {
  return text.replace(/^namespace /, '');
}

/** Explains one pair of ends: a row for each port, identity, reporter and action, with times, counts and policies. Pure. */
export function explainPair(
  facts: readonly FlowEvidence[],
  traced: readonly TracedEvidence[],
): ExplainedFact[] {
  const decidedBy = decisionsOf(traced);
  const arrivalOf = arrivals(facts);
  const explained = facts.map((fact): ExplainedFact => {
    const { reporter, action, firstSeconds, lastSeconds, flowCount, days } = fact;
    const arrival = reporter === 'src' && action === 'allow' ? arrivalOf(fact) : 'arrived';
    return {
      src: describeEnd(fact.src),
      dst: describeEnd(fact.dst),
      port: portText(fact),
      reporter,
      action,
      firstSeconds,
      lastSeconds,
      days: days.length,
      flowCount,
      ...(arrival === 'blocked' ? { note: 'blocked at the destination' } : {}),
      ...(arrival === 'contested' ? { note: 'both allowed and denied at the destination' } : {}),
      decidedBy: decidedBy(fact),
    };
  });
  return sortedBy(explained, ({ src, dst, port, reporter, action, firstSeconds }) => [
    src,
    dst,
    port,
    reporter === 'src' ? 0 : 1,
    action,
    firstSeconds,
  ]);
}

/** Returns a lookup of the policies that decided a fact. Pure. @param traced the same facts by policy trace */
export function decisionsOf(
  traced: readonly TracedEvidence[],
): (fact: Parameters<typeof traceKey>[0]) => ExplainedFact['decidedBy'] {
  const traces = groupBy(traced, traceKey);
  return (fact) => decisions(traces.get(traceKey(fact)) ?? []);
}

function decisions(traced: readonly TracedEvidence[]): ExplainedFact['decidedBy'] {
  const byPolicy = groupBy(traced, ({ trace }) => {
    const known = readTrace(trace);
    if (known === undefined) return 'unknown: the trace was not stored (limit per fact)';
    const decided = verdictOf(known.enforced);
    if (decided !== undefined)
      return `${describeHit(decided.hit)}${isStaged(decided.hit) ? ' (reported as enforced, although a staged policy enforces nothing: projectcalico/calico#13410)' : ''}`;
    return known.enforced.length === 0
      ? 'unknown: no policy hits'
      : 'unknown: the stored hits give no single verdict';
  });
  const entries = [...byPolicy].map(([policy, group]) => {
    const { flowCount, lastSeconds } = mergeTotals(group);
    return { policy, flowCount, lastSeconds };
  });
  return sortedBy(entries, ({ policy, flowCount }) => [-flowCount, policy]);
}
