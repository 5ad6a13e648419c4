import type { MetricMeter } from '@temporalio/common';

/** Metrics of the control plane; docs/operations.md lists them. */
export interface ControlMetrics {
  recreated(what: 'supervisor' | 'schedule'): void;
  /** Whether the supervisor ran, with working workflow tasks, at the last check. */
  supervisorRunning(isRunning: boolean): void;
  missingSchedules(count: number): void;
  connectionReplaced(): void;
  /** May be fractional and negative. */
  temporalCertificateDaysLeft(days: number): void;
}

export function createControlMetrics(meter: MetricMeter): ControlMetrics {
  const recreated = meter.createCounter(
    'flow_trail_recreated',
    '',
    'Missing supervisors and schedules that were recreated, by kind',
  );
  const running = meter.createGauge(
    'flow_trail_supervisor_running',
    'int',
    '',
    '1 while the supervisor runs and its workflow tasks succeed, else 0',
  );
  const missing = meter.createGauge(
    'flow_trail_schedules_missing',
    'int',
    '',
    'Schedules that are missing and could not be created',
  );
  const replaced = meter.createCounter(
    'flow_trail_temporal_connections_replaced',
    '',
    'Connections to Temporal that were replaced because a certificate, a key or the CA changed',
  );
  const daysLeft = meter.createGauge(
    'flow_trail_temporal_certificate_days_left',
    'float',
    '',
    'Days until the client certificate for Temporal expires',
  );
  for (const what of ['supervisor', 'schedule']) recreated.add(0, { what });
  running.set(0);
  missing.set(0);
  replaced.add(0);
  daysLeft.set(Number.NaN);
  return {
    recreated: (what) => recreated.add(1, { what }),
    supervisorRunning: (isRunning) => running.set(isRunning ? 1 : 0),
    missingSchedules: (count) => missing.set(count),
    connectionReplaced: () => replaced.add(1),
    // The SDK throws on negative values.
    temporalCertificateDaysLeft: (days) => daysLeft.set(Math.max(0, days)),
  };
}
