import { iso } from '../time/iso.ts';
import { createHash } from 'node:crypto';
import { SeverityNumber, type LogAttributes } from '@opentelemetry/api-logs';
import type { ReadableLogRecord } from '@opentelemetry/sdk-logs';
import type { FlowKey, PolicyTrace, RecordDetails } from '../goldmane/decoder/decode.ts';
import { bucketSeconds } from '../time/bucket.ts';
import { namespaceOf } from '../trail/record.ts';
import { AttributeList } from './attribute-list.ts';
import { lineOf } from './record-line.ts';
import { policyAttributes } from './policy-attributes.ts';

/** One complete record of a bucket: flow keys with the same identity are added up. */
export interface ExportRecord {
  key: FlowKey;
  details: RecordDetails;
  trace: PolicyTrace;
  /** The number of distinct policy traces of the record; `trace` is one of them. */
  traces: number;
}

/** Values that all log records of a trail share. */
export interface LogContext {
  resource: ReadableLogRecord['resource'];
  instrumentationScope: ReadableLogRecord['instrumentationScope'];
  /** Keys of the pod labels that are sent. */
  labels: ReadonlySet<string> | 'all';
}

/** A log record, with its approximate size in a request. */
export interface SizedLogRecord {
  record: ReadableLogRecord;
  bytes: number;
}

/** Size of a log record without its attributes. */
const frameBytes = 64;

/**
 * The id of a record: 32 hexadecimal digits, the same each time the record is sent, by any worker (docs/decisions/0008-flow-logs.md).
 * @param exportKey as returned by `exportKeyOf`
 */
export function recordId(exportKey: Buffer, startSeconds: number, content: string): string {
  return createHash('sha256')
    .update(exportKey)
    .update(`${startSeconds}\n`)
    .update(content, 'latin1')
    .digest('hex')
    .slice(0, 32);
}

/** The secret key of all ids, derived from the salt of the ledger's hashes; ids reveal neither. */
export function exportKeyOf(salt: Buffer): Buffer {
  return createHash('sha256').update('flow log id\n').update(salt).digest();
}

/**
 * The log record of one record. Its texts may have been chosen by anyone in the cluster; long ones are truncated,
 * and `flow_trail.cut` lists their attributes. Pure.
 * @param nowMs time of sending, milliseconds since the epoch
 */
export function toLogRecord(
  { key, details, trace, traces }: ExportRecord,
  { id, startSeconds, nowMs }: { id: string; startSeconds: number; nowMs: number },
  { resource, instrumentationScope, labels }: LogContext,
): SizedLogRecord {
  const { counters } = details;
  const list = new AttributeList();
  list.text('log.record.uid', id);
  list.text('event.name', 'calico.flow');
  list.text('calico.bucket.start', iso(startSeconds));
  list.text('calico.bucket.end', iso(startSeconds + bucketSeconds));
  list.text('calico.flow.action', key.action);
  list.text('calico.flow.reporter', key.reporter);
  list.text('network.transport', key.protocol);
  addEnd(list, 'source', key.srcType, namespaceOf(key.srcNamespace), details.srcName);
  addEnd(list, 'destination', key.dstType, namespaceOf(key.dstNamespace), details.dstName);
  list.number('destination.port', key.dstPort);
  if (namespaceOf(details.serviceName) !== '') {
    list.text('destination.k8s.service.name', details.serviceName);
    list.text('destination.k8s.service.namespace', namespaceOf(details.serviceNamespace));
    list.text('destination.k8s.service.port.name', namespaceOf(details.servicePortName));
    list.number('destination.k8s.service.port', details.servicePort);
  }
  list.number('calico.flow.bytes.in', counters.bytesIn);
  list.number('calico.flow.bytes.out', counters.bytesOut);
  list.number('calico.flow.packets.in', counters.packetsIn);
  list.number('calico.flow.packets.out', counters.packetsOut);
  list.number('calico.flow.connections.started', counters.connectionsStarted);
  list.number('calico.flow.connections.completed', counters.connectionsCompleted);
  list.number('calico.flow.connections.live', counters.connectionsLive);
  policyAttributes(list, trace, traces);
  list.labels('source.k8s.pod.label', details.srcLabels, labels);
  list.labels('destination.k8s.pod.label', details.dstLabels, labels);
  const attributes: LogAttributes = list.finish();
  const body = lineOf(key, details);
  const isDenied = key.action === 'deny';
  const now: [number, number] = [Math.floor(nowMs / 1_000), Math.floor(nowMs % 1_000) * 1_000_000];
  return {
    bytes: frameBytes + body.length + list.bytes,
    record: {
      hrTime: [startSeconds, 0],
      hrTimeObserved: now,
      severityNumber: isDenied ? SeverityNumber.WARN : SeverityNumber.INFO,
      severityText: isDenied ? 'WARN' : 'INFO',
      body,
      resource,
      instrumentationScope,
      attributes,
      droppedAttributesCount: list.dropped,
    },
  };
}

function addEnd(
  list: AttributeList,
  side: 'source' | 'destination',
  type: FlowKey['srcType'],
  namespace: string,
  name: string,
): void {
  list.text(`calico.${side}.type`, type);
  if (namespace !== '') list.text(`${side}.k8s.namespace.name`, namespace);
  list.text(`calico.${side}.name`, name);
}
