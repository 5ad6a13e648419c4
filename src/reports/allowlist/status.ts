import type { CoverageStretch } from '../../trail/coverage.ts';
import type { FlowEvidence } from '../../trail/evidence.ts';
import type { NamespaceStatus } from './model.ts';
import { daySeconds } from '../covered-time.ts';

/** Below so many covered days nothing is ever called complete: a weekly job may not have run yet. */
export const leastRequiredDays = 7;

export interface StatusSettings {
  /** Covered days that are asked for; at least seven are. */
  readonly requiredDays: number;
  /** Days without anything new before it is stable. */
  readonly stableDays: number;
  /** Days without any observation after which it is stale. */
  readonly staleDays: number;
}

export const defaultStatusSettings: StatusSettings = {
  requiredDays: leastRequiredDays,
  stableDays: 3,
  staleDays: 14,
};

/**
 * How far a namespace's evidence goes: covered is what was settled, since the namespace was first seen; time that was
 * only streamed leaves no facts, and a gap leaves nothing. Judged as of the end of what is covered, not by a clock.
 */
export function namespaceStatus(
  stretches: readonly CoverageStretch[],
  facts: readonly FlowEvidence[],
  settings: StatusSettings,
): NamespaceStatus {
  const requiredDays = Math.max(leastRequiredDays, settings.requiredDays);
  const since = facts.reduce(
    (min, { firstSeconds }) => Math.min(min, firstSeconds),
    Number.POSITIVE_INFINITY,
  );
  const later = stretches
    .filter(({ toSeconds }) => toSeconds > since)
    .map((stretch) => ({ ...stretch, fromSeconds: Math.max(stretch.fromSeconds, since) }));
  const covered = later.filter(({ state }) => state === 'final' || state === 'settled');
  const seconds = covered.reduce((sum, { fromSeconds, toSeconds }) => sum + toSeconds - fromSeconds, 0);
  const asOf = covered.at(-1)?.toSeconds ?? since;
  const newest = facts.reduce(
    (max, { firstSeconds }) => Math.max(max, firstSeconds),
    Number.NEGATIVE_INFINITY,
  );
  const last = facts.reduce((max, { lastSeconds }) => Math.max(max, lastSeconds), Number.NEGATIVE_INFINITY);
  return {
    verdict:
      seconds < requiredDays * daySeconds
        ? 'learning'
        : last < asOf - settings.staleDays * daySeconds
          ? 'stale'
          : newest > asOf - settings.stableDays * daySeconds
            ? 'unstable'
            : 'complete',
    // Rounded down: 6.96 days are not seven.
    coveredDays: Math.floor((seconds / daySeconds) * 10) / 10,
    requiredDays,
    gaps: later
      .filter(({ state }) => state === 'gap' || state === 'streamed')
      .map(({ fromSeconds, toSeconds, state, cause }) => ({
        fromSeconds,
        toSeconds,
        cause:
          state === 'streamed'
            ? 'only streamed, never settled: no facts are kept of it'
            : (cause ?? 'unknown'),
      })),
  };
}
