import {
  ACTIONS,
  ENDPOINT_TYPES,
  enumNumber,
  POLICY_KINDS,
  REPORTERS,
  type CompleteFlow,
  type FlowCounters,
  type FlowKey,
  type PolicyHit,
  type PolicyTrace,
} from './flow.ts';
import type { Window } from './window.ts';
import { WireWriter } from './wire.ts';

const GRPC_PREFIX_BYTES = 5;
const EMPTY = Buffer.alloc(0);

const keyWriter = new WireWriter(1024);

/**
 * The content of a FlowKey message, hits of the trace in the order given, or by policy index. The trace is
 * there even when empty, as Goldmane sends it.
 */
export function encodeFlowKey(key: FlowKey, hits: 'as_given' | 'by_policy_index' = 'as_given'): Buffer {
  const writer = keyWriter;
  writer.reset();
  writer.string(1, key.srcName);
  writer.string(2, key.srcNamespace);
  writer.int(3, enumNumber(ENDPOINT_TYPES, key.srcType));
  writer.string(4, key.dstName);
  writer.string(5, key.dstNamespace);
  writer.int(6, enumNumber(ENDPOINT_TYPES, key.dstType));
  writer.int(7, key.dstPort);
  writer.string(8, key.serviceName);
  writer.string(9, key.serviceNamespace);
  writer.string(10, key.servicePortName);
  writer.int(11, key.servicePort);
  writer.string(12, key.protocol);
  writer.int(13, enumNumber(REPORTERS, key.reporter));
  writer.int(14, enumNumber(ACTIONS, key.action));
  writer.bytes(15, encodeTrace(key.policies, hits === 'by_policy_index'));
  return writer.finish();
}

function encodeTrace(trace: PolicyTrace, sorted: boolean): Buffer {
  if (!trace.enforced && !trace.pending) return EMPTY;
  const writer = new WireWriter();
  for (const hit of inOrder(trace.enforced, sorted)) writer.bytes(1, encodeHit(hit));
  for (const hit of inOrder(trace.pending, sorted)) writer.bytes(2, encodeHit(hit));
  return writer.finish();
}

function inOrder(hits: readonly PolicyHit[] = [], sorted: boolean): readonly PolicyHit[] {
  return sorted ? hits.toSorted((a, b) => (a.policyIndex ?? 0) - (b.policyIndex ?? 0)) : hits;
}

function encodeHit(hit: PolicyHit): Buffer {
  const writer = new WireWriter();
  writer.int(1, enumNumber(POLICY_KINDS, hit.kind ?? 0));
  writer.string(2, hit.namespace ?? '');
  writer.string(3, hit.name ?? '');
  writer.string(4, hit.tier ?? '');
  writer.int(5, enumNumber(ACTIONS, hit.action ?? 0));
  writer.int(6, hit.policyIndex ?? 0);
  writer.int(7, hit.ruleIndex ?? 0);
  if (hit.trigger) writer.bytes(8, encodeHit(hit.trigger));
  return writer.finish();
}

function writeCounters(writer: WireWriter, counters: FlowCounters): void {
  writer.int(6, counters.packetsIn);
  writer.int(7, counters.packetsOut);
  writer.int(8, counters.bytesIn);
  writer.int(9, counters.bytesOut);
  writer.int(10, counters.connectionsStarted);
  writer.int(11, counters.connectionsCompleted);
  writer.int(12, counters.connectionsLive);
}

/** A FlowUpdate, as a node sends it. */
export function encodeFlowUpdate(flow: CompleteFlow): Buffer {
  const message = new WireWriter(512);
  message.bytes(1, encodeFlowKey(flow));
  message.int(2, flow.startSeconds);
  message.int(3, flow.endSeconds);
  for (const label of flow.sourceLabels) message.bytes(4, Buffer.from(label, 'utf8'));
  for (const label of flow.destLabels) message.bytes(5, Buffer.from(label, 'utf8'));
  writeCounters(message, flow);
  const update = new WireWriter(512);
  update.bytes(1, message.view());
  return update.finish();
}

/** What a record says, its key already encoded. */
export interface RecordContent {
  readonly id: number;
  readonly encodedKey: Buffer;
  readonly startSeconds: number;
  readonly endSeconds: number;
  readonly window: Window;
}

const flowEnd = new WireWriter(1024);
const resultHead = new WireWriter(64);

/** Appends a FlowResult as one gRPC message (flag, length, message) of a stream. */
export function writeStreamedRecord(target: WireWriter, record: RecordContent): void {
  const length = prepare(record);
  target.byte(0);
  target.uint32BigEndian(length);
  append(target, record);
}

/** Appends a FlowResult as an element of FlowListResult.flows. */
export function writeListedRecord(target: WireWriter, record: RecordContent): void {
  const length = prepare(record);
  target.tag(2, 2);
  target.varint(length);
  append(target, record);
}

/** Fills the scratch writers with all but the key; the length of the whole FlowResult. */
function prepare(record: RecordContent): number {
  const { encodedKey, window } = record;
  flowEnd.reset();
  flowEnd.int(2, record.startSeconds);
  flowEnd.int(3, record.endSeconds);
  flowEnd.raw(window.sourceLabels.asSource);
  flowEnd.raw(window.destLabels.asDest);
  writeCounters(flowEnd, window);

  const keyFieldBytes = 1 + varintBytes(encodedKey.length) + encodedKey.length;
  resultHead.reset();
  resultHead.int(1, record.id);
  resultHead.tag(2, 2);
  resultHead.varint(keyFieldBytes + flowEnd.length);
  resultHead.tag(1, 2);
  resultHead.varint(encodedKey.length);
  return resultHead.length + encodedKey.length + flowEnd.length;
}

function append(target: WireWriter, record: RecordContent): void {
  target.raw(resultHead.view());
  target.raw(record.encodedKey);
  target.raw(flowEnd.view());
}

function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest > 0x7f; rest >>>= 7) bytes++;
  return bytes;
}

/** A FlowListResult's metadata: one page of everything, as it is without paging. */
export function writeListMetadata(target: WireWriter, totalResults: number): void {
  const meta = new WireWriter(32);
  meta.int(1, totalResults === 0 ? 0 : 1);
  meta.int(2, totalResults);
  target.bytes(1, meta.view());
}

/** Appends bytes that claim to be a FlowResult as one message of a stream. */
export function writeStreamedBytes(target: WireWriter, message: Buffer): void {
  target.byte(0);
  target.uint32BigEndian(message.length);
  target.raw(message);
}

/** One message in gRPC's framing: a flag for compression (none), four bytes of length, the message. */
export function grpcFrame(message: Buffer): Buffer {
  const frame = Buffer.allocUnsafe(GRPC_PREFIX_BYTES + message.length);
  frame[0] = 0;
  frame.writeUInt32BE(message.length, 1);
  message.copy(frame, GRPC_PREFIX_BYTES);
  return frame;
}
