import type { MetricMeter } from '@temporalio/common';
import { memoryLimits } from '../config/memory-limits.ts';
import { TrailMeter } from '../temporal/trail-meter.ts';

/** Metrics of the worker process and its control loop; docs/operations.md lists them. */
export interface WorkerMetrics {
  ready(isReady: boolean): void;
  databaseSeconds(seconds: number): void;
  /** `sent`, or why not. */
  heartbeat(result: string): void;
  recreated(what: 'supervisor' | 'schedule'): void;
  /** Whether the supervisor ran, with working workflow tasks, at the last check. */
  supervisorRunning(isRunning: boolean): void;
  missingSchedules(count: number): void;
  connectionReplaced(): void;
  /** May be fractional and negative. */
  temporalCertificateDaysLeft(days: number): void;
}

const heartbeatResults = ['sent', 'refused', 'timeout', 'unreachable', 'no_url'] as const;

export function createWorkerMetrics(meter: MetricMeter): WorkerMetrics {
  const trail = new TrailMeter(meter);
  const ready = trail.gauge('ready', '1 while /readyz returns 200');
  const database = trail.histogram('database_seconds', 'Duration of one database operation');
  const heartbeats = trail.counter('heartbeats', 'Calls to HEARTBEAT_URL, by result');
  const recreated = trail.counter(
    'recreated',
    'Missing supervisors and schedules that were recreated, by kind',
  );
  const running = trail.gauge(
    'supervisor_running',
    '1 while the supervisor runs and its workflow tasks succeed, else 0',
  );
  const missing = trail.gauge('schedules_missing', 'Schedules that are missing and could not be created');
  const replaced = trail.counter(
    'temporal_connections_replaced',
    'Connections to Temporal that were replaced because a certificate, a key or the CA changed',
  );
  const daysLeft = trail.gauge(
    'temporal_certificate_days_left',
    'Days until the client certificate for Temporal expires',
  );
  const limits = trail.gauge('memory_limit', 'Limits derived from the heap size of the process, by limit');
  for (const [limit, value] of Object.entries<number>({ ...memoryLimits })) limits.set(value, { limit });
  for (const result of heartbeatResults) heartbeats.add(0, { result });
  for (const what of ['supervisor', 'schedule']) recreated.add(0, { what });
  ready.set(0);
  running.set(0);
  missing.set(0);
  replaced.add(0);
  daysLeft.set(Number.NaN);
  return {
    ready: (isReady) => ready.set(isReady ? 1 : 0),
    databaseSeconds: (seconds) => database.record(seconds),
    heartbeat: (result) => heartbeats.add(1, { result }),
    recreated: (what) => recreated.add(1, { what }),
    supervisorRunning: (isRunning) => running.set(isRunning ? 1 : 0),
    missingSchedules: (count) => missing.set(count),
    connectionReplaced: () => replaced.add(1),
    temporalCertificateDaysLeft: (days) => daysLeft.set(days),
  };
}
