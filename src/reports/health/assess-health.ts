import { clockDifference } from './clock-difference.ts';
import { exportCheck } from './export-check.ts';
import type { HealthFacts, Unreachable } from './facts.ts';
import { certificatesCheck, digestCheck } from './job-checks.ts';
import { coverageCheck, freshnessCheck } from './recording-checks.ts';
import { check, type HealthCheck, type HealthReport, type HealthStatus } from './report.ts';
import { schedulesCheck, supervisorCheck } from './temporal-checks.ts';

const ranks: Record<HealthStatus, number> = { PASS: 0, WARN: 1, FAIL: 2 };

/** Evaluates whether the trail is recorded and reported. The command `health` and `/readyz?verbose` show the same
 * report. A check whose facts are unknown is skipped: the check of the system that does not respond gives the reason.
 * Pure.
 */
export function assessHealth({
  nowMs,
  trail,
  control,
  databaseTrouble,
  formatTime,
}: HealthFacts): HealthReport {
  const trailId = 'what' in trail ? undefined : trail.trailId;
  const checks = [
    ...('what' in trail
      ? [unreachable('database', trail)]
      : [databaseCheck(databaseTrouble, trail.clockAheadMs)]),
    ...('what' in control
      ? [unreachable('temporal', control)]
      : [check('temporal', 'PASS', 'available'), supervisorCheck(control, trailId), schedulesCheck(control)]),
    ...('what' in trail
      ? []
      : [
          freshnessCheck(trail, formatTime),
          coverageCheck(trail.coverage, nowMs),
          digestCheck(trail.digests, 'what' in control ? undefined : control, nowMs, formatTime),
          certificatesCheck(trail.certificates, 'what' in control ? undefined : control, nowMs, formatTime),
          exportCheck(trail.export, nowMs, formatTime),
        ]),
  ];
  const worst = checks.toSorted((a, b) => ranks[b.status] - ranks[a.status]);
  const wrong = worst.filter(({ status }) => status !== 'PASS');
  return {
    status: worst[0]?.status ?? 'PASS',
    detail:
      wrong.length === 0
        ? `all ${checks.length} checks pass`
        : wrong.map(({ name, detail }) => `${name}: ${detail}`).join('; '),
    checks,
  };
}

/** One line per check, with what to do below it. */
export function healthLines({ checks }: Pick<HealthReport, 'checks'>): string[] {
  return checks.flatMap(({ name, status, detail, cure }) => [
    `${status}  ${name.padEnd(12)}  ${detail}`,
    ...(cure === '' ? [] : [`      ${''.padEnd(12)}  ${cure}`]),
  ]);
}

function databaseCheck(trouble: Unreachable | undefined, clockAheadMs: number): HealthCheck {
  if (trouble)
    return check('database', 'FAIL', `responds, but the worker cannot use it: ${trouble.what}`, trouble.cure);
  const difference = clockDifference(clockAheadMs);
  return difference === undefined
    ? check('database', 'PASS', 'available')
    : check(
        'database',
        'WARN',
        `available, but this machine's clock is ${difference} its clock`,
        'Synchronise both clocks (NTP); until then, the ages in this report are wrong',
      );
}

function unreachable(name: 'database' | 'temporal', { what, cure }: Unreachable): HealthCheck {
  return check(name, 'FAIL', what, cure);
}
