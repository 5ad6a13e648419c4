import type { MetricMeter } from '@temporalio/common';
import type { ExportGapReason } from '../trail/export/export-gaps.ts';
import { TrailMeter } from '../temporal/trail-meter.ts';
import type { Answer } from './receiver.ts';

/** Metrics of the export; docs/flow-logs.md lists them. */
export interface ExportMetrics {
  records(result: 'accepted' | 'rejected', count: number): void;
  /** A request got a response. */
  sent(status: Answer['status'], bytes: number, seconds: number): void;
  /** @param kind kind of the failure with its system, for example `receiver_busy` */
  failed(kind: string): void;
  gap(reason: ExportGapReason, buckets: number): void;
  connected(isConnected: boolean): void;
}

const failureKinds = [
  'receiver_unreadable_file',
  'receiver_dns',
  'receiver_connection_refused',
  'receiver_unreachable',
  'receiver_timeout',
  'receiver_untrusted',
  'receiver_busy',
  'receiver_refused',
  'receiver_not_otlp',
];
const gapReasons: readonly ExportGapReason[] = ['not_exported', 'not_settled', 'missing', 'rejected'];

export function createExportMetrics(meter: MetricMeter): ExportMetrics {
  const trail = new TrailMeter(meter);
  const records = trail.counter(
    'export_records',
    'Records that a receiver of flow logs accepted or rejected permanently',
  );
  const requests = trail.counter('export_requests', 'Requests with flow logs that got a response, by result');
  const bytes = trail.counter('export_bytes', 'Bytes of these requests before compression');
  const failures = trail.counter('export_failures', 'Export rounds that failed, by cause');
  const gaps = trail.counter('export_gap_buckets', 'Buckets that were not exported completely, by reason');
  const seconds = trail.histogram('export_request_seconds', 'Time until the receiver responded to a request');
  const connected = trail.gauge('export_connected', '1 while the export has a connection to Goldmane');
  for (const result of ['accepted', 'rejected']) records.add(0, { result });
  for (const result of ['accepted', 'too_large', 'invalid']) requests.add(0, { result });
  bytes.add(0);
  for (const cause of failureKinds) failures.add(0, { cause });
  for (const reason of gapReasons) gaps.add(0, { reason });
  connected.set(0);
  return {
    records: (result, count) => records.add(count, { result }),
    sent(result, size, duration) {
      requests.add(1, { result });
      bytes.add(size);
      seconds.record(duration);
    },
    failed: (cause) => failures.add(1, { cause }),
    gap: (reason, buckets) => gaps.add(buckets, { reason }),
    connected: (isConnected) => connected.set(isConnected ? 1 : 0),
  };
}
