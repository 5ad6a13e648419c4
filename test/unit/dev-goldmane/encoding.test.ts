import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeFlowUpdate, decodeListRequest, decodeStreamRequest } from '../../../dev/goldmane/decode.ts';
import {
  encodeFlowKey,
  encodeFlowUpdate,
  encodeList,
  encodeRecord,
  type RecordContent,
} from '../../../dev/goldmane/encode.ts';
import { completeFlow, type CompleteFlow, type PolicyHit } from '../../../dev/goldmane/flow.ts';
import { LabelSets } from '../../../dev/goldmane/labels.ts';
import { Window } from '../../../dev/goldmane/window.ts';
import { decodeMessage } from '../../../dev/goldmane/messages.ts';
import { bytesField, encodeFields, varintField } from '../goldmane/wire.ts';

const text = fc.string({ unit: 'grapheme', maxLength: 20 });
const count = fc.oneof(fc.nat(), fc.maxSafeInteger(), fc.constant(0), fc.constant(-1));
const hit: fc.Arbitrary<PolicyHit> = fc.record({
  kind: fc.nat(12),
  namespace: text,
  name: text,
  tier: text,
  action: fc.nat(4),
  policyIndex: fc.nat(9),
  ruleIndex: fc.integer({ min: -1, max: 9 }),
});
const label = fc.string({ unit: fc.constantFrom('a', 'b', '=', '/', 'ö'), minLength: 1, maxLength: 9 });
const flow: fc.Arbitrary<CompleteFlow> = fc.record({
  srcName: text,
  srcNamespace: text,
  srcType: fc.nat(9),
  dstName: text,
  dstNamespace: text,
  dstType: fc.nat(9),
  dstPort: fc.nat(70_000),
  serviceName: text,
  serviceNamespace: text,
  servicePortName: text,
  servicePort: fc.nat(),
  protocol: text,
  reporter: fc.nat(3),
  action: fc.nat(300),
  policies: fc.record({
    enforced: fc.array(hit, { maxLength: 3 }),
    pending: fc.array(hit, { maxLength: 3 }),
  }),
  startSeconds: fc.nat(),
  endSeconds: fc.nat(),
  sourceLabels: fc.array(label, { maxLength: 4 }),
  destLabels: fc.array(label, { maxLength: 4 }),
  packetsIn: count,
  packetsOut: count,
  bytesIn: count,
  bytesOut: count,
  connectionsStarted: count,
  connectionsCompleted: count,
  connectionsLive: count,
});

function hitMessage(of: PolicyHit): unknown {
  const { kind, namespace, name, tier, action, policyIndex, ruleIndex } = of;
  return {
    kind,
    namespace,
    name,
    tier,
    action,
    policy_index: policyIndex,
    rule_index: ruleIndex,
    trigger: null,
  };
}

function keyMessage(of: CompleteFlow): unknown {
  return {
    source_name: of.srcName,
    source_namespace: of.srcNamespace,
    source_type: of.srcType,
    dest_name: of.dstName,
    dest_namespace: of.dstNamespace,
    dest_type: of.dstType,
    dest_port: of.dstPort,
    dest_service_name: of.serviceName,
    dest_service_namespace: of.serviceNamespace,
    dest_service_port_name: of.servicePortName,
    dest_service_port: of.servicePort,
    proto: of.protocol,
    reporter: of.reporter,
    action: of.action,
    policies: {
      enforced_policies: (of.policies.enforced ?? []).map(hitMessage),
      pending_policies: (of.policies.pending ?? []).map(hitMessage),
    },
  };
}

function flowMessage(of: CompleteFlow): object {
  return {
    Key: keyMessage(of),
    start_time: of.startSeconds,
    end_time: of.endSeconds,
    source_labels: of.sourceLabels,
    dest_labels: of.destLabels,
    packets_in: of.packetsIn,
    packets_out: of.packetsOut,
    bytes_in: of.bytesIn,
    bytes_out: of.bytesOut,
    num_connections_started: of.connectionsStarted,
    num_connections_completed: of.connectionsCompleted,
    num_connections_live: of.connectionsLive,
  };
}

function recordOf(of: CompleteFlow, id: number): RecordContent {
  const labels = new LabelSets();
  return {
    id,
    encodedKey: encodeFlowKey(of),
    startSeconds: of.startSeconds,
    endSeconds: of.endSeconds,
    window: new Window(of, labels.of(of.sourceLabels), labels.of(of.destLabels)),
  };
}

describe('The stand-in’s encoding', () => {
  it('follows proto/goldmane.proto: FlowUpdate', () => {
    fc.assert(
      fc.property(flow, (given) => {
        expect(decodeMessage('FlowUpdate', encodeFlowUpdate(given))).toEqual({ flow: flowMessage(given) });
      }),
    );
  });

  it('follows proto/goldmane.proto: a FlowResult', () => {
    fc.assert(
      fc.property(flow, count, (given, id) => {
        const bytes = encodeRecord(recordOf(given, id));
        const sorted = {
          ...given,
          sourceLabels: given.sourceLabels.toSorted(),
          destLabels: given.destLabels.toSorted(),
        };
        expect(decodeMessage('FlowResult', bytes)).toEqual({ id, flow: flowMessage(sorted) });
      }),
    );
  });

  it('follows proto/goldmane.proto: a FlowListResult', () => {
    fc.assert(
      fc.property(fc.array(flow, { maxLength: 4 }), (given) => {
        const unlabelled = given.map((one) => ({ ...one, sourceLabels: [], destLabels: [] }));
        const list = encodeList(unlabelled.map((one, index) => encodeRecord(recordOf(one, index + 1))));
        expect(decodeMessage('FlowListResult', list)).toEqual({
          meta: { totalPages: Math.min(given.length, 1), totalResults: given.length },
          flows: unlabelled.map((one, index) => ({ id: index + 1, flow: flowMessage(one) })),
        });
      }),
    );
  });

  it('round-trips', () => {
    fc.assert(
      fc.property(flow, (given) => {
        expect(decodeFlowUpdate(encodeFlowUpdate(given))).toEqual(given);
      }),
    );
  });

  it('decodes requests: bounds and unsupported fields', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer(), fc.nat(8), (gte, lt, other) => {
        const bounds = [varintField(1, gte), varintField(2, lt)];
        const list = decodeListRequest(
          encodeFields([...bounds, ...(other > 2 ? [bytesField(other, 'x')] : [])]),
        );
        expect(list).toMatchObject({ startTimeGte: gte, startTimeLt: lt });
        expect(list.unsupported !== undefined).toBe(other > 2 && other <= 6);
        const stream = decodeStreamRequest(
          encodeFields([varintField(1, gte), ...(other === 2 ? [bytesField(2, 'x')] : [])]),
        );
        expect(stream.startTimeGte).toBe(gte);
        expect(stream.unsupported !== undefined).toBe(other === 2);
      }),
    );
  });

  it('rejects truncated messages', () => {
    const bytes = encodeFlowUpdate(completeFlow({ startSeconds: 1_700_000_000 }));
    for (let length = 1; length < bytes.length; length++) {
      expect(() => decodeFlowUpdate(bytes.subarray(0, length))).toThrow(RangeError);
    }
  });
});
