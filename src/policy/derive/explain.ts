import type { FlowEvidence, TracedEvidence } from '../../trail/evidence.ts';
import { arrivals } from './blocked.ts';
import { describeEnd } from './describe.ts';
import { groupBy, sortedBy } from './order.ts';
import { portText } from './rules.ts';
import { describeHit, readTrace, verdictOf } from './trace.ts';

/** One fact of a pair, with everything that is known of it. */
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
  /** What the other end did with what the source allowed. */
  readonly note?: 'blocked at the destination' | 'the destination both let it in and denied it';
  /** By which policies, each with how often and until when; the most frequent first. */
  readonly decidedBy: readonly {
    readonly policy: string;
    readonly flowCount: number;
    readonly lastSeconds: number;
  }[];
}

/** Everything known of one pair: by port, identity, reporter and action, since when, how often, by which policy. Pure. */
export function explainPair(
  facts: readonly FlowEvidence[],
  traced: readonly TracedEvidence[],
): ExplainedFact[] {
  const traces = groupBy(traced, factKey);
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
      ...(arrival === 'contested' ? { note: 'the destination both let it in and denied it' } : {}),
      decidedBy: decisions(traces.get(factKey(fact)) ?? []),
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

function decisions(traced: readonly TracedEvidence[]): ExplainedFact['decidedBy'] {
  const byPolicy = groupBy(traced, ({ trace }) => {
    const known = readTrace(trace);
    if (known === undefined) return 'not told: more traces than are kept of one fact';
    const decided = verdictOf(known.enforced);
    if (decided !== undefined) return describeHit(decided.hit);
    return known.enforced.length === 0 ? 'not told' : 'not told by the hits that were kept';
  });
  const entries = [...byPolicy].map(([policy, group]) => ({
    policy,
    flowCount: group.reduce((sum, entry) => sum + entry.flowCount, 0),
    lastSeconds: group.reduce((max, entry) => Math.max(max, entry.lastSeconds), 0),
  }));
  return sortedBy(entries, ({ policy, flowCount }) => [-flowCount, policy]);
}

function factKey({ src, dst, protocol, port, reporter, action }: FlowEvidence | TracedEvidence): string {
  return [
    src.kind,
    src.ns,
    src.identity,
    dst.kind,
    dst.ns,
    dst.identity,
    protocol,
    port,
    reporter,
    action,
  ].join('\n');
}
