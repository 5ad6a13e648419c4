import { bytesField, encodeFields, messageField, varintField, type Field } from '../goldmane/wire.ts';

/** The fields of a FlowResult; enums are numbers as on the wire. */
export interface TestFlow {
  startSeconds: number;
  id?: number;
  src?: TestEnd;
  dst?: TestEnd;
  port?: number;
  protocol?: string;
  /** 1 src, 2 dst. */
  reporter?: number;
  /** 1 allow, 2 deny, 3 pass. */
  action?: number;
  /** Names of the enforced policies, in order. */
  policies?: string[];
  hasTraffic?: boolean;
}

interface TestEnd {
  name?: string;
  namespace?: string;
  /** 1 workload, 2 host, 3 network set, 4 network. */
  type?: number;
  labels?: string[];
}

const workload: Required<TestEnd> = { name: 'pod-*', namespace: 'a', type: 1, labels: [] };

/** Encodes the FlowResult as Goldmane sends it. */
export function encodeFlow({
  startSeconds,
  id = 1,
  src,
  dst,
  port = 80,
  protocol = 'tcp',
  reporter = 1,
  action = 1,
  policies = [],
  hasTraffic = true,
}: TestFlow): Buffer {
  const from = { ...workload, ...src };
  const to = { ...workload, namespace: 'b', ...dst };
  const hit = (name: string): Field =>
    messageField(1, [varintField(1, 1), bytesField(3, name), varintField(5, 1)]);
  const key = [
    bytesField(1, from.name),
    bytesField(2, from.namespace),
    varintField(3, from.type),
    bytesField(4, to.name),
    bytesField(5, to.namespace),
    varintField(6, to.type),
    varintField(7, port),
    bytesField(12, protocol),
    varintField(13, reporter),
    varintField(14, action),
    messageField(15, policies.map(hit)),
  ];
  const flow = [
    messageField(1, key),
    varintField(2, startSeconds),
    varintField(3, startSeconds + 15),
    ...from.labels.map((label) => bytesField(4, label)),
    ...to.labels.map((label) => bytesField(5, label)),
    ...(hasTraffic ? [varintField(6, 3)] : []),
  ];
  return encodeFields([varintField(1, id), messageField(2, flow)]);
}
