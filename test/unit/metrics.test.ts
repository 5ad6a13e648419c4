import { noopMetricMeter, type MetricMeter } from '@temporalio/common';
import { expect, test } from 'vitest';
import { createJobMetrics } from '../../src/activities/metrics.ts';
import { createReaderMetrics } from '../../src/ingest/metrics.ts';
import { createWorkerMetrics } from '../../src/worker/metrics.ts';

/** A meter that refuses the same values as the SDK's. `values`: the last value by name and first label. */
function strictMeter(): { meter: MetricMeter; values: Map<string, number> } {
  const values = new Map<string, number>();
  const meter: MetricMeter = {
    createCounter: (...given) => noopMetricMeter.createCounter(...given),
    createHistogram: (...given) => noopMetricMeter.createHistogram(...given),
    withTags: () => meter,
    createGauge(name, valueType, unit, description) {
      return {
        ...noopMetricMeter.createGauge(name, valueType, unit, description),
        set(value, tags) {
          if (value < 0) throw new Error(`MetricGauge value must be non-negative (got ${value})`);
          values.set([name, ...Object.values(tags ?? {})].join(' '), value);
        },
      };
    },
  };
  return { meter, values };
}

test('an expired certificate and a time in the future are reported as 0, not as an error of the SDK', () => {
  const { meter, values } = strictMeter();
  const metrics = createJobMetrics(meter);
  metrics.certificates('expired', 'critical', { client: -3.5, ca: 40 });
  metrics.freshness('clock_ahead', -30);
  createReaderMetrics(meter).lag(-1);
  createWorkerMetrics(meter).temporalCertificateDaysLeft(-1);
  expect(values.get('flow_trail_certificate_days_left client')).toBe(0);
  expect(values.get('flow_trail_certificate_days_left ca')).toBe(40);
  expect(values.get('flow_trail_since_last_merge_seconds')).toBe(0);
  expect(values.get('flow_trail_temporal_certificate_days_left')).toBe(0);
});

test('a check of the certificates is reported until another worker has made a later one', () => {
  const { meter, values } = strictMeter();
  const metrics = createJobMetrics(meter);
  metrics.certificates('expiring', 'warning', { client: 6 });
  metrics.checkedElsewhere(new Date());
  expect(values.get('flow_trail_certificate_days_left client')).toBe(6);
  metrics.checkedElsewhere(new Date(Date.now() + 3_600_000));
  expect(values.get('flow_trail_certificate_days_left client')).toBeNaN();
});

test('a worker starts with the values in the database and continues with its own', () => {
  const { meter, values } = strictMeter();
  const metrics = createReaderMetrics(meter);
  const since = new Date(1_000_000);
  metrics.begin({ since, newestBucket: new Date(5_000_000), settledBucket: undefined });
  expect(values.get('flow_trail_newest_bucket_timestamp_seconds')).toBe(5_000);
  expect(values.get('flow_trail_settled_up_to_timestamp_seconds')).toBe(1_000);
  metrics.newestBucket(6_000);
  metrics.begin({ since, newestBucket: new Date(5_000_000), settledBucket: new Date(4_000_000) });
  expect(values.get('flow_trail_newest_bucket_timestamp_seconds')).toBe(6_000);
  expect(values.get('flow_trail_settled_up_to_timestamp_seconds')).toBe(4_000);
});
