export type HealthStatus = 'PASS' | 'WARN' | 'FAIL';

export const healthCheckNames = [
  'database',
  'temporal',
  'supervisor',
  'schedules',
  'freshness',
  'coverage',
  'digest',
  'certificates',
  'export',
] as const;

/** The result of one check. */
export interface HealthCheck {
  name: (typeof healthCheckNames)[number];
  status: HealthStatus;
  /** The finding and its cause; no full stop at the end. */
  detail: string;
  /** What to do; empty if no action is needed. */
  cure: string;
}

export interface HealthReport {
  /** The worst of all checks. */
  status: HealthStatus;
  /** All problems on one line, or that all checks pass. */
  detail: string;
  checks: HealthCheck[];
}

/** One check's result; a check that passes needs no cure. */
export function check(
  name: HealthCheck['name'],
  status: HealthStatus,
  detail: string,
  cure = '',
): HealthCheck {
  return { name, status, detail, cure: status === 'PASS' ? '' : cure };
}

/** A finding as the first part of a longer line. */
export function withoutStop(text: string): string {
  return text.replace(/\.$/, '');
}
