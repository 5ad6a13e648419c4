import { fileURLToPath } from 'node:url';
import protobuf from 'protobufjs';
import { z } from 'zod';
import type { FlowKey, FlowRecord } from '../../../src/goldmane/decoder/decode.ts';
import { contentOf } from '../../../src/goldmane/decoder/flow-key.ts';

const proto = fileURLToPath(new URL('../../../proto/goldmane.proto', import.meta.url));
/** The decoder that protobufjs generates from proto/goldmane.proto, for all fields. */
const root = protobuf.loadSync(proto);
const flowResult = root.lookupType('goldmane.FlowResult');
const flowKey = root.lookupType('goldmane.FlowKey');
/** The same, but policy traces and labels, which our decoder decodes on demand, stay bytes. */
const lazy = protobuf.loadSync(proto);
keepBytes('goldmane.FlowKey', 'policies');
keepBytes('goldmane.Flow', 'sourceLabels');
keepBytes('goldmane.Flow', 'destLabels');
const lazyResult = lazy.lookupType('goldmane.FlowResult');

const int64 = z.string().transform(Number);
const hit = z.looseObject({
  kind: z.number(),
  tier: z.string(),
  namespace: z.string(),
  name: z.string(),
  action: z.number(),
  ruleIndex: int64,
  trigger: z.unknown(),
});
const schema = z.object({
  id: int64,
  flow: z.looseObject({
    Key: z.looseObject({
      sourceName: z.string(),
      sourceNamespace: z.string(),
      sourceType: z.number(),
      destName: z.string(),
      destNamespace: z.string(),
      destType: z.number(),
      destPort: int64,
      destServiceName: z.string(),
      destServiceNamespace: z.string(),
      destServicePortName: z.string(),
      destServicePort: int64,
      proto: z.string(),
      reporter: z.number(),
      action: z.number(),
      policies: z.object({ enforcedPolicies: z.array(hit), pendingPolicies: z.array(hit) }).nullable(),
    }),
    startTime: int64,
    endTime: int64,
    sourceLabels: z.array(z.string()),
    destLabels: z.array(z.string()),
  }),
});

const lazySchema = schema.extend({
  flow: schema.shape.flow.extend({
    Key: schema.shape.flow.shape.Key.extend({ policies: z.unknown() }),
    sourceLabels: z.unknown(),
    destLabels: z.unknown(),
  }),
});

type Reference = z.infer<typeof schema>;

const plainObjects = { longs: String, defaults: true, arrays: true, objects: true } as const;

export function referenceDecode(raw: Buffer): Reference {
  return schema.parse(flowResult.toObject(flowResult.decode(raw), plainObjects));
}

/** The expected result of our decoder for `raw`, from the reference. */
export function referenceRecord(raw: Buffer): FlowRecord {
  return recordOf(referenceDecode(raw));
}

/** The same for a record whose policy trace and labels may be malformed. */
export function lazyReferenceRecord(raw: Buffer): FlowRecord {
  const { flow, ...rest } = lazySchema.parse(lazyResult.toObject(lazyResult.decode(raw), plainObjects));
  const unread = { sourceLabels: [], destLabels: [] };
  return recordOf({ ...rest, flow: { ...flow, ...unread, Key: { ...flow.Key, policies: null } } });
}

function recordOf({ id, flow }: Reference): FlowRecord {
  return {
    id,
    key: referenceKey(flow.Key),
    startSeconds: flow.startTime,
    endSeconds: flow.endTime,
    hasTraffic: COUNTERS.some((name) => flow[name] !== '0'),
  };
}

const COUNTERS = [
  'packetsIn',
  'packetsOut',
  'bytesIn',
  'bytesOut',
  'numConnectionsStarted',
  'numConnectionsCompleted',
  'numConnectionsLive',
];
const ENDPOINTS = ['unspecified', 'workload', 'host', 'networkset', 'network'] as const;
/** Types whose names are stored: network sets and networks. */
const STORED_NAMES = new Set([3, 4]);
const REPORTERS = ['unspecified', 'src', 'dst'] as const;
const ACTIONS = ['unspecified', 'allow', 'deny', 'pass'] as const;

function referenceKey(key: Reference['flow']['Key']): FlowKey {
  // protobufjs writes fields in the order of their numbers and omits fields that are not set.
  const identity = Object.fromEntries(
    Object.entries(key).filter(([name, value]) => name !== 'policies' && value !== '' && value !== 0),
  );
  const encoding = flowKey.encode(flowKey.fromObject(identity)).finish();
  return {
    content: contentOf(Buffer.from(encoding)),
    srcName: STORED_NAMES.has(key.sourceType) ? key.sourceName : '',
    srcNamespace: key.sourceNamespace,
    srcType: ENDPOINTS[key.sourceType] ?? 'unspecified',
    dstName: STORED_NAMES.has(key.destType) ? key.destName : '',
    dstNamespace: key.destNamespace,
    dstType: ENDPOINTS[key.destType] ?? 'unspecified',
    dstPort: key.destPort,
    protocol: key.proto,
    reporter: REPORTERS[key.reporter] ?? 'unspecified',
    action: ACTIONS[key.action] ?? 'unspecified',
  };
}

function keepBytes(typeName: string, name: string): void {
  const type = lazy.lookupType(typeName);
  const field = type.fields[name];
  if (!field) throw new Error(`proto/goldmane.proto has no field ${typeName}.${name}`);
  type.remove(field);
  type.add(new protobuf.Field(name, field.id, 'bytes', field.repeated ? 'repeated' : undefined));
}
