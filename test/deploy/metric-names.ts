import { noopMetricMeter, type MetricMeter } from '@temporalio/common';
import { createMetrics } from '../../src/ingest/metrics.ts';

/**
 * The names under which the worker's own numbers appear on /metrics. The SDK's exporter makes them so with
 * countersTotalSuffix and unitSuffix: a counter gets `_total`; a histogram gets its unit, also where its name ends with
 * one already; a gauge stays as it is (measured with SDK 1.24).
 */
export function exposedMetricNames(): Set<string> {
  const names = new Set<string>();
  const meter: MetricMeter = {
    createCounter(name, unit, description) {
      names.add(`${name}_total`);
      return noopMetricMeter.createCounter(name, unit, description);
    },
    createGauge(name, valueType, unit, description) {
      names.add(name);
      return noopMetricMeter.createGauge(name, valueType, unit, description);
    },
    createHistogram(name, valueType, unit, description) {
      for (const part of ['bucket', 'sum', 'count']) names.add([name, unit, part].filter(Boolean).join('_'));
      return noopMetricMeter.createHistogram(name, valueType, unit, description);
    },
    withTags: () => meter,
  };
  createMetrics(meter);
  return names;
}
