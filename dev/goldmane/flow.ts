/**
 * A flow as a node reports it, with the names of FlowKey and Flow in proto/goldmane.proto. Enumerations are names, or
 * numbers for values that are not in this API.
 */

export const ENDPOINT_TYPES = { unspecified: 0, workload: 1, host: 2, networkset: 3, network: 4 } as const;
export const REPORTERS = { unspecified: 0, src: 1, dst: 2 } as const;
export const ACTIONS = { unspecified: 0, allow: 1, deny: 2, pass: 3 } as const;
export const POLICY_KINDS = {
  unspecified: 0,
  CalicoNetworkPolicy: 1,
  GlobalNetworkPolicy: 2,
  StagedNetworkPolicy: 3,
  StagedGlobalNetworkPolicy: 4,
  StagedKubernetesNetworkPolicy: 5,
  NetworkPolicy: 6,
  AdminNetworkPolicy: 7,
  BaselineAdminNetworkPolicy: 8,
  Profile: 9,
  EndOfTier: 10,
  ClusterNetworkPolicy: 11,
} as const;

type EndpointType = keyof typeof ENDPOINT_TYPES | number;
type Reporter = keyof typeof REPORTERS | number;
export type Action = keyof typeof ACTIONS | number;
type PolicyKind = keyof typeof POLICY_KINDS | number;

export interface PolicyHit {
  kind?: PolicyKind;
  namespace?: string;
  name?: string;
  tier?: string;
  action?: Action;
  policyIndex?: number;
  ruleIndex?: number;
  trigger?: PolicyHit;
}

/** Hits are kept in the given order: the same hits in a different order are a different flow key. */
export interface PolicyTrace {
  enforced?: readonly PolicyHit[];
  pending?: readonly PolicyHit[];
}

export interface FlowKey {
  srcName: string;
  srcNamespace: string;
  srcType: EndpointType;
  dstName: string;
  dstNamespace: string;
  dstType: EndpointType;
  dstPort: number;
  serviceName: string;
  serviceNamespace: string;
  servicePortName: string;
  servicePort: number;
  protocol: string;
  reporter: Reporter;
  action: Action;
  policies: PolicyTrace;
}

export interface FlowCounters {
  packetsIn: number;
  packetsOut: number;
  bytesIn: number;
  bytesOut: number;
  connectionsStarted: number;
  connectionsCompleted: number;
  connectionsLive: number;
}

/** A flow with every field. Labels are `name=value`; times are Unix seconds. */
export interface CompleteFlow extends FlowKey, FlowCounters {
  startSeconds: number;
  endSeconds: number;
  sourceLabels: readonly string[];
  destLabels: readonly string[];
}

/** A flow as a node sends it: only the time is required; `completeFlow` fills in the rest. */
export type Flow = Partial<CompleteFlow> & Pick<CompleteFlow, 'startSeconds'>;

const NO_TRACE: PolicyTrace = {};
const NO_LABELS: readonly string[] = [];

/**
 * Fills in the fields that a flow omits. Default: an allowed TCP connection between two pods, reported by its source,
 * without labels, with one packet each way. `endSeconds` defaults to `startSeconds`, as calico-node sends it.
 */
export function completeFlow(flow: Flow): CompleteFlow {
  return {
    srcName: flow.srcName ?? 'client-*',
    srcNamespace: flow.srcNamespace ?? 'default',
    srcType: flow.srcType ?? 'workload',
    dstName: flow.dstName ?? 'server-*',
    dstNamespace: flow.dstNamespace ?? 'default',
    dstType: flow.dstType ?? 'workload',
    dstPort: flow.dstPort ?? 8080,
    serviceName: flow.serviceName ?? '-',
    serviceNamespace: flow.serviceNamespace ?? '-',
    servicePortName: flow.servicePortName ?? '-',
    servicePort: flow.servicePort ?? 0,
    protocol: flow.protocol ?? 'tcp',
    reporter: flow.reporter ?? 'src',
    action: flow.action ?? 'allow',
    policies: flow.policies ?? NO_TRACE,
    startSeconds: flow.startSeconds,
    endSeconds: flow.endSeconds ?? flow.startSeconds,
    sourceLabels: flow.sourceLabels ?? NO_LABELS,
    destLabels: flow.destLabels ?? NO_LABELS,
    packetsIn: flow.packetsIn ?? 1,
    packetsOut: flow.packetsOut ?? 1,
    bytesIn: flow.bytesIn ?? 100,
    bytesOut: flow.bytesOut ?? 100,
    connectionsStarted: flow.connectionsStarted ?? 1,
    connectionsCompleted: flow.connectionsCompleted ?? 0,
    connectionsLive: flow.connectionsLive ?? 1,
  };
}

/** The wire number of an enumeration's name; numbers are returned unchanged. */
export function enumNumber<T extends Record<string, number>>(names: T, value: keyof T | number): number {
  return typeof value === 'number' ? value : (names[value] ?? 0);
}
