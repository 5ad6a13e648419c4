import type { FlowEvidence } from '../../trail/facts/evidence.ts';
import type { ReplayEnd } from './cluster.ts';

/**
 * Marks the ends whose service identity may not have been stored, so that no verdict depends on its absence. Pure.
 * @param limited namespaces with more identities than are stored
 */
export function markUnknownIdentities(
  evidence: readonly FlowEvidence[],
  limited: ReadonlySet<string>,
): readonly FlowEvidence[] {
  if (limited.size === 0) return evidence;
  const mark = (end: FlowEvidence['src']): ReplayEnd =>
    end.kind === 'workload' && end.identity === '' && limited.has(end.ns)
      ? { ...end, hasUnknownIdentity: true }
      : end;
  return evidence.map((fact) => ({ ...fact, src: mark(fact.src), dst: mark(fact.dst) }));
}
