/** How much a finding matters: nobody has to do anything, somebody has to soon, somebody has to now. */
export type Severity = 'good' | 'warning' | 'critical';

const ranks: Record<Severity, number> = { good: 0, warning: 1, critical: 2 };

/** Puts the worst first. */
export function bySeverity(a: { severity: Severity }, b: { severity: Severity }): number {
  return ranks[b.severity] - ranks[a.severity];
}
