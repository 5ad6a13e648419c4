/** `good`: no action needed. `warning`: action needed soon. `critical`: action needed now. */
export type Severity = 'good' | 'warning' | 'critical';

const ranks: Record<Severity, number> = { good: 0, warning: 1, critical: 2 };

/** Compares by severity, worst first. */
export function bySeverity(a: { severity: Severity }, b: { severity: Severity }): number {
  return ranks[b.severity] - ranks[a.severity];
}
