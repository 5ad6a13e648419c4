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
} from './flow.ts';
import { encoderOf } from './messages.ts';
import type { Window } from './window.ts';

const encodeKey = encoderOf('FlowKey');
const encodeUpdate = encoderOf('FlowUpdate');
const encodeResult = encoderOf('EncodedFlowResult');
const encodeListResult = encoderOf('EncodedFlowListResult');

/**
 * A FlowKey message, with the hits of the trace in the given order or by policy index. An empty trace is included, as
 * Goldmane does.
 */
export function encodeFlowKey(key: FlowKey, hits: 'as_given' | 'by_policy_index' = 'as_given'): Buffer {
  return encodeKey(keyMessage(key, hits === 'by_policy_index'));
}

function keyMessage(key: FlowKey, sorted: boolean): object {
  return {
    source_name: key.srcName,
    source_namespace: key.srcNamespace,
    source_type: enumNumber(ENDPOINT_TYPES, key.srcType),
    dest_name: key.dstName,
    dest_namespace: key.dstNamespace,
    dest_type: enumNumber(ENDPOINT_TYPES, key.dstType),
    dest_port: key.dstPort,
    dest_service_name: key.serviceName,
    dest_service_namespace: key.serviceNamespace,
    dest_service_port_name: key.servicePortName,
    dest_service_port: key.servicePort,
    proto: key.protocol,
    reporter: enumNumber(REPORTERS, key.reporter),
    action: enumNumber(ACTIONS, key.action),
    policies: {
      enforced_policies: hitMessages(key.policies.enforced, sorted),
      pending_policies: hitMessages(key.policies.pending, sorted),
    },
  };
}

function hitMessages(hits: readonly PolicyHit[] = [], sorted: boolean): object[] {
  const ordered = sorted ? hits.toSorted((a, b) => (a.policyIndex ?? 0) - (b.policyIndex ?? 0)) : hits;
  return ordered.map(hitMessage);
}

function hitMessage(hit: PolicyHit): object {
  return {
    kind: enumNumber(POLICY_KINDS, hit.kind ?? 0),
    namespace: hit.namespace,
    name: hit.name,
    tier: hit.tier,
    action: enumNumber(ACTIONS, hit.action ?? 0),
    policy_index: hit.policyIndex,
    rule_index: hit.ruleIndex,
    trigger: hit.trigger && hitMessage(hit.trigger),
  };
}

/** A FlowUpdate, as a node sends it. */
export function encodeFlowUpdate(flow: CompleteFlow): Buffer {
  return encodeUpdate({
    flow: {
      Key: keyMessage(flow, false),
      start_time: flow.startSeconds,
      end_time: flow.endSeconds,
      source_labels: flow.sourceLabels,
      dest_labels: flow.destLabels,
      ...counterFields(flow),
    },
  });
}

/** The content of a record, with its key already encoded. */
export interface RecordContent {
  readonly id: number;
  readonly encodedKey: Buffer;
  readonly startSeconds: number;
  readonly endSeconds: number;
  readonly window: Window;
}

/** A FlowResult. */
export function encodeRecord({ id, encodedKey, startSeconds, endSeconds, window }: RecordContent): Buffer {
  return encodeResult({
    id,
    flow: {
      Key: encodedKey,
      start_time: startSeconds,
      end_time: endSeconds,
      source_labels: window.sourceLabels,
      dest_labels: window.destLabels,
      ...counterFields(window),
    },
  });
}

/** A FlowListResult of these encoded FlowResults: one page with everything, as without paging. */
export function encodeList(records: readonly Buffer[]): Buffer {
  return encodeListResult({
    meta: { totalPages: records.length === 0 ? 0 : 1, totalResults: records.length },
    flows: records,
  });
}

function counterFields(counters: FlowCounters): object {
  return {
    packets_in: counters.packetsIn,
    packets_out: counters.packetsOut,
    bytes_in: counters.bytesIn,
    bytes_out: counters.bytesOut,
    num_connections_started: counters.connectionsStarted,
    num_connections_completed: counters.connectionsCompleted,
    num_connections_live: counters.connectionsLive,
  };
}
