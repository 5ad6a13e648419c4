import { z } from 'zod';
import type { CompleteFlow, PolicyHit } from './flow.ts';
import { decodeMessage, fieldNumbersOf } from './messages.ts';

/** The bounds of a FlowListRequest, as sent. `unsupported` names features that the stand-in does not have. */
export interface ListRequest {
  startTimeGte: number;
  startTimeLt: number;
  unsupported: string | undefined;
}

const listRequest = z.object({ start_time_gte: z.number(), start_time_lt: z.number() });

export function decodeListRequest(message: Buffer): ListRequest {
  const { start_time_gte, start_time_lt } = listRequest.parse(decodeMessage('FlowListRequest', message));
  // Fields 3 to 6, which proto/goldmane.proto omits.
  const others = fieldNumbersOf(message).some((field) => field > 2 && field <= 6);
  return {
    startTimeGte: start_time_gte,
    startTimeLt: start_time_lt,
    unsupported: others ? 'paging, sorting and filters' : undefined,
  };
}

export interface StreamRequest {
  startTimeGte: number;
  unsupported: string | undefined;
}

const streamRequest = listRequest.pick({ start_time_gte: true });

export function decodeStreamRequest(message: Buffer): StreamRequest {
  const { start_time_gte } = streamRequest.parse(decodeMessage('FlowStreamRequest', message));
  return {
    startTimeGte: start_time_gte,
    unsupported: fieldNumbersOf(message).includes(2) ? 'filters' : undefined,
  };
}

const hit = z.object({
  kind: z.number(),
  namespace: z.string(),
  name: z.string(),
  tier: z.string(),
  action: z.number(),
  policy_index: z.number(),
  rule_index: z.number(),
  get trigger() {
    return hit.nullable();
  },
});
const key = z.object({
  source_name: z.string(),
  source_namespace: z.string(),
  source_type: z.number(),
  dest_name: z.string(),
  dest_namespace: z.string(),
  dest_type: z.number(),
  dest_port: z.number(),
  dest_service_name: z.string(),
  dest_service_namespace: z.string(),
  dest_service_port_name: z.string(),
  dest_service_port: z.number(),
  proto: z.string(),
  reporter: z.number(),
  action: z.number(),
  policies: z.object({ enforced_policies: z.array(hit), pending_policies: z.array(hit) }).nullable(),
});
const flowUpdate = z.object({
  flow: z
    .object({
      Key: key.nullable(),
      start_time: z.number(),
      end_time: z.number(),
      source_labels: z.array(z.string()),
      dest_labels: z.array(z.string()),
      packets_in: z.number(),
      packets_out: z.number(),
      bytes_in: z.number(),
      bytes_out: z.number(),
      num_connections_started: z.number(),
      num_connections_completed: z.number(),
      num_connections_live: z.number(),
    })
    .nullable(),
});

/**
 * The flow of a FlowUpdate; undefined if it has no flow or a flow without a key. Throws if the bytes are not a
 * FlowUpdate.
 */
export function decodeFlowUpdate(message: Buffer): CompleteFlow | undefined {
  const { flow } = flowUpdate.parse(decodeMessage('FlowUpdate', message));
  if (!flow?.Key) return undefined;
  const { Key } = flow;
  return {
    srcName: Key.source_name,
    srcNamespace: Key.source_namespace,
    srcType: Key.source_type,
    dstName: Key.dest_name,
    dstNamespace: Key.dest_namespace,
    dstType: Key.dest_type,
    dstPort: Key.dest_port,
    serviceName: Key.dest_service_name,
    serviceNamespace: Key.dest_service_namespace,
    servicePortName: Key.dest_service_port_name,
    servicePort: Key.dest_service_port,
    protocol: Key.proto,
    reporter: Key.reporter,
    action: Key.action,
    policies: Key.policies
      ? {
          enforced: Key.policies.enforced_policies.map(policyHit),
          pending: Key.policies.pending_policies.map(policyHit),
        }
      : {},
    startSeconds: flow.start_time,
    endSeconds: flow.end_time,
    sourceLabels: flow.source_labels,
    destLabels: flow.dest_labels,
    packetsIn: flow.packets_in,
    packetsOut: flow.packets_out,
    bytesIn: flow.bytes_in,
    bytesOut: flow.bytes_out,
    connectionsStarted: flow.num_connections_started,
    connectionsCompleted: flow.num_connections_completed,
    connectionsLive: flow.num_connections_live,
  };
}

function policyHit(message: z.infer<typeof hit>): PolicyHit {
  const { kind, namespace, name, tier, action, policy_index, rule_index, trigger } = message;
  return {
    kind,
    namespace,
    name,
    tier,
    action,
    policyIndex: policy_index,
    ruleIndex: rule_index,
    ...(trigger ? { trigger: policyHit(trigger) } : {}),
  };
}
