import { totalSeconds } from '../coverage/durations.ts';
import type { MetricMeter } from '@temporalio/common';
import { TrailMeter } from '../temporal/trail-meter.ts';
import { jobNames, type JobName } from '../config/temporal-names.ts';
import { healthCheckNames, type HealthReport, type HealthStatus } from '../reports/health/report.ts';
import type { CoverageStretch } from '../trail/coverage-ranges/coverage.ts';

/** The health report as metrics; docs/operations.md lists them. Each worker exports the state of the whole trail. */
export interface HealthMetrics {
  /** @param report undefined: nothing is known */
  report(report: HealthReport | undefined): void;
  /** Of the last 24 hours. */
  coverage(stretches: readonly CoverageStretch[]): void;
  /** When the newest finished digest was created. */
  digest(doneAt: Date | undefined): void;
  failedRuns(counts: ReadonlyMap<JobName, number>): void;
  /** Worker processes of the trail that ended unexpectedly in the last 30 minutes. */
  crashes(count: number): void;
  /** Bytes of all tables of the trail. */
  storage(bytes: number): void;
  /** @param upToSeconds undefined before the first settled bucket */
  exported(state: { isEnabled: boolean; upToSeconds: number | undefined; waiting: number }): void;
}

const levels: Record<HealthStatus, number> = { PASS: 0, WARN: 1, FAIL: 2 };
const unknownLevel = 3;
const missedStates = ['gap', 'incomplete', 'streamed'] as const;

export function createHealthMetrics(meter: MetricMeter): HealthMetrics {
  const trail = new TrailMeter(meter);
  const health = trail.gauge(
    'health',
    'The checks of flow-trail health: 0 PASS, 1 WARN, 2 FAIL, 3 unknown (a system it needs does not respond)',
  );
  const uncovered = trail.gauge(
    'uncovered_seconds',
    'Time in the last 24 hours that was not fully observed, by state',
  );
  const digest = trail.gauge(
    'digest_timestamp_seconds',
    'When the newest finished digest was created; 0: never',
  );
  const failedRuns = trail.gauge(
    'job_failed_runs',
    'Runs of the job that failed in the last 24 hours, since its last completed run',
  );
  const crashes = trail.gauge(
    'worker_crashes',
    'Worker processes of the trail that ended unexpectedly in the last 30 minutes',
  );
  const storage = trail.gauge(
    'storage_bytes',
    'Size of all tables of the trail in PostgreSQL, with indexes; 0: not read yet',
  );
  const exportEnabled = trail.gauge('export_enabled', '1 while flow logs are exported');
  const exportedUpTo = trail.gauge(
    'export_up_to_timestamp_seconds',
    'All settled buckets before this time were exported, or given up as gaps',
  );
  const exportWaiting = trail.gauge('export_waiting_buckets', 'Settled buckets waiting to be exported');
  const setReport = (report: HealthReport | undefined) => {
    for (const name of healthCheckNames) {
      const found = report?.checks.find((check) => check.name === name);
      health.set(found ? levels[found.status] : unknownLevel, { check: name });
    }
  };
  const setCoverage = (stretches: readonly CoverageStretch[]) => {
    for (const state of missedStates)
      uncovered.set(totalSeconds(stretches.filter((stretch) => stretch.state === state)), { state });
  };
  const setFailedRuns = (counts: ReadonlyMap<JobName, number>) => {
    for (const job of jobNames) failedRuns.set(counts.get(job) ?? 0, { job_name: job });
  };
  // Every series exists from the first scrape: an alert on a missing series would never fire.
  setReport(undefined);
  setCoverage([]);
  digest.set(0);
  setFailedRuns(new Map());
  for (const each of [crashes, storage, exportEnabled, exportedUpTo, exportWaiting]) each.set(0);
  return {
    report: setReport,
    coverage: setCoverage,
    digest: (doneAt) => digest.set(doneAt ? doneAt.getTime() / 1000 : 0),
    failedRuns: setFailedRuns,
    crashes: (count) => crashes.set(count),
    storage: (bytes) => storage.set(bytes),
    exported({ isEnabled, upToSeconds, waiting }) {
      exportEnabled.set(isEnabled ? 1 : 0);
      exportedUpTo.set(upToSeconds ?? 0);
      exportWaiting.set(isEnabled ? waiting : 0);
    },
  };
}
