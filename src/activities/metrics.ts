import type { MetricMeter } from '@temporalio/common';
import { TrailMeter } from '../temporal/trail-meter.ts';

/** Metrics of the scheduled jobs; docs/operations.md lists them. */
export interface JobMetrics {
  /** `posted`, `printed`, or the kind of the failure. */
  slackMessage(result: string): void;
  /** The result of a certificate check; days may be fractional and negative. */
  certificates(
    state: string,
    severity: 'good' | 'warning' | 'critical',
    daysLeft: Partial<Record<'client' | 'ca' | 'goldmane', number>>,
  ): void;
  /** Seconds since anything was merged or settled; undefined if nothing has been. */
  freshness(state: string, seconds: number | undefined): void;
  /**
   * The time of the last certificate check, possibly by another worker: an older check by this worker is then
   * discarded.
   */
  checkedElsewhere(checkedAt: Date): void;
}

/**
 * Another worker's check counts as newer only if it is later by this much, because a check is stored shortly after it
 * was made.
 */
const newerCheckMs = 120_000;
const certificateNames = ['client', 'ca', 'goldmane'] as const;

export function createJobMetrics(meter: MetricMeter): JobMetrics {
  const trail = new TrailMeter(meter);
  const slackMessages = trail.counter('slack_messages', 'Messages to Slack, by result');
  const certificateChecks = trail.counter('certificate_checks', 'Certificate checks, by state found');
  const certificateDays = trail.gauge(
    'certificate_days_left',
    'Days until the certificate expires: the client’s, its CA’s, or Goldmane’s own',
  );
  const certificateSeverity = trail.gauge(
    'certificate_severity',
    '0 while the certificates are good, 1 warning, 2 critical',
  );
  const freshnessChecks = trail.counter('freshness_checks', 'Freshness checks, by state found');
  const sinceMerge = trail.gauge(
    'since_last_merge_seconds',
    'Time since anything was merged or settled, at the last check',
  );
  const forgetCertificates = () => {
    for (const certificate of certificateNames) certificateDays.set(Number.NaN, { certificate });
    certificateSeverity.set(0);
  };
  // Every series exists from the first scrape: an alert on a missing series would never fire.
  for (const result of ['posted', 'printed']) slackMessages.add(0, { result });
  for (const each of [certificateChecks, freshnessChecks]) each.add(0, { state: 'good' });
  forgetCertificates();
  sinceMerge.set(Number.NaN);
  let lookedAtMs = 0;
  return {
    slackMessage: (result) => slackMessages.add(1, { result }),
    certificates(state, severity, daysLeft) {
      lookedAtMs = Date.now();
      certificateChecks.add(1, { state });
      certificateSeverity.set({ good: 0, warning: 1, critical: 2 }[severity]);
      for (const certificate of certificateNames)
        certificateDays.set(daysLeft[certificate] ?? Number.NaN, { certificate });
    },
    freshness(state, seconds) {
      freshnessChecks.add(1, { state });
      if (seconds !== undefined) sinceMerge.set(seconds);
    },
    checkedElsewhere(checkedAt) {
      if (checkedAt.getTime() >= lookedAtMs + newerCheckMs) forgetCertificates();
    },
  };
}
