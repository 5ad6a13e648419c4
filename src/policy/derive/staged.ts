import type { TracedEvidence } from '../../trail/evidence.ts';
import { describeEnd } from './describe.ts';
import { groupBy, sortedBy } from './order.ts';
import { portText } from './rules.ts';
import { describeHit, readTrace, verdictOf } from './trace.ts';

/** Where a staged policy would have done something else than what was enforced. */
export interface StagedDisagreement {
  readonly src: string;
  readonly dst: string;
  readonly port: string;
  readonly reporter: TracedEvidence['reporter'];
  readonly enforced: 'allow' | 'deny';
  /** What the staged policies would have done. */
  readonly pending: 'allow' | 'deny';
  /** Which staged policy, or which end of tier, decided so. */
  readonly by: string;
  readonly firstSeconds: number;
  readonly lastSeconds: number;
  readonly flowCount: number;
}

export interface StagedVerdicts {
  /** Would deny what is allowed first; then by pair. */
  readonly disagreements: readonly StagedDisagreement[];
  /** Flows whose staged verdict is the enforced one. */
  readonly agreeing: number;
  /** Flows whose traces do not tell. */
  readonly untold: number;
}

/** How often and since when staged policies disagreed with the enforced verdict, per pair of ends and port. Pure. */
export function stagedVerdicts(traced: readonly TracedEvidence[]): StagedVerdicts {
  let agreeing = 0;
  let untold = 0;
  const found: StagedDisagreement[] = [];
  for (const { src, dst, protocol, port, reporter, trace, firstSeconds, lastSeconds, flowCount } of traced) {
    const known = readTrace(trace);
    const enforced = known && verdictOf(known.enforced);
    const pending = known && verdictOf(known.pending);
    if (!enforced || !pending) untold += flowCount;
    else if (enforced.action === pending.action) agreeing += flowCount;
    else
      found.push({
        src: describeEnd(src),
        dst: describeEnd(dst),
        port: portText({ protocol, port }),
        reporter,
        enforced: enforced.action,
        pending: pending.action,
        by: describeHit(pending.hit),
        firstSeconds,
        lastSeconds,
        flowCount,
      });
  }
  const merged = [
    ...groupBy(found, ({ src, dst, port, reporter, enforced, by }) =>
      [src, dst, port, reporter, enforced, by].join('\n'),
    ).values(),
  ].map((group) => ({
    ...group[0],
    firstSeconds: Math.min(...group.map(({ firstSeconds }) => firstSeconds)),
    lastSeconds: Math.max(...group.map(({ lastSeconds }) => lastSeconds)),
    flowCount: group.reduce((sum, { flowCount }) => sum + flowCount, 0),
  }));
  const disagreements = sortedBy(merged, ({ pending, src, dst, port, reporter, by }) => [
    pending === 'deny' ? 0 : 1,
    src,
    dst,
    port,
    reporter,
    by,
  ]);
  return { disagreements, agreeing, untold };
}
