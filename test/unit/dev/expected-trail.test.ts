import { fileURLToPath } from 'node:url';
import protobuf from 'protobufjs';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { completeFlow, type CompleteFlow, type Flow } from '../../../dev/goldmane/flow.ts';
import { expectedTrail, type ExpectedEdge } from '../../../dev/simulation/expected-trail.ts';
import { readCapture, readCaptureEdges, type EdgeRow } from '../../support/capture.ts';

const number = z.number().default(0);
const text = z.string().default('');
const decodedFlow = z.object({
  Key: z.object({
    sourceName: text,
    sourceNamespace: text,
    sourceType: number,
    destName: text,
    destNamespace: text,
    destType: number,
    destPort: number,
    destServiceName: text,
    destServiceNamespace: text,
    destServicePortName: text,
    destServicePort: number,
    proto: text,
    reporter: number,
    action: number,
  }),
  startTime: number,
  packetsIn: number,
  packetsOut: number,
  bytesIn: number,
  bytesOut: number,
  numConnectionsStarted: number,
  numConnectionsCompleted: number,
  numConnectionsLive: number,
});

const endpointTypes = ['unspecified', 'workload', 'host', 'networkset', 'network'] as const;
const actions = ['unspecified', 'allow', 'deny', 'pass'] as const;

/** The capture, decoded by protobufjs, which shares no code with the product. */
function readFlows(): CompleteFlow[] {
  const proto = fileURLToPath(new URL('../../../proto/goldmane.proto', import.meta.url));
  const type = protobuf.loadSync(proto).lookupType('goldmane.FlowResult');
  return readCapture().map((raw) => {
    const { flow } = type.toObject(type.decode(raw), { longs: Number });
    const { Key: key, startTime, ...counters } = decodedFlow.parse(flow);
    return completeFlow({
      srcName: key.sourceName,
      srcNamespace: key.sourceNamespace,
      srcType: endpointTypes[key.sourceType] ?? key.sourceType,
      dstName: key.destName,
      dstNamespace: key.destNamespace,
      dstType: endpointTypes[key.destType] ?? key.destType,
      dstPort: key.destPort,
      serviceName: key.destServiceName,
      serviceNamespace: key.destServiceNamespace,
      servicePortName: key.destServicePortName,
      servicePort: key.destServicePort,
      protocol: key.proto,
      reporter: key.reporter,
      action: actions[key.action] ?? key.action,
      startSeconds: startTime,
      packetsIn: counters.packetsIn,
      packetsOut: counters.packetsOut,
      bytesIn: counters.bytesIn,
      bytesOut: counters.bytesOut,
      connectionsStarted: counters.numConnectionsStarted,
      connectionsCompleted: counters.numConnectionsCompleted,
      connectionsLive: counters.numConnectionsLive,
    });
  });
}

function asRow(edge: ExpectedEdge): EdgeRow {
  return {
    src_ns: edge.srcNs,
    dst_ns: edge.dstNs,
    action: edge.action,
    first_seen: edge.firstSeenSeconds,
    last_seen: edge.lastSeenSeconds,
    flow_count: edge.flowCount,
  };
}

describe('the expected trail', () => {
  test('of the capture of a real server equals its expected edge rows', () => {
    expect(expectedTrail(readFlows()).map(asRow)).toEqual(readCaptureEdges());
  });

  const flow = (fields: Partial<Flow> = {}): CompleteFlow =>
    completeFlow({ startSeconds: 1_800_000_007, srcNamespace: 'blog', dstNamespace: 'dbaas', ...fields });
  const silent = {
    packetsIn: 0,
    packetsOut: 0,
    bytesIn: 0,
    bytesOut: 0,
    connectionsStarted: 0,
    connectionsCompleted: 0,
    connectionsLive: 0,
  };

  test('counts a record once, regardless of the reader and the policy trace', () => {
    const again = flow({
      policies: { enforced: [{ kind: 'Profile', name: 'kns.blog' }] },
      sourceLabels: ['a=b'],
    });
    expect(expectedTrail([flow(), again, flow({ startSeconds: 1_800_000_014 })])).toEqual([
      {
        srcNs: 'blog',
        dstNs: 'dbaas',
        action: 'allow',
        firstSeenSeconds: 1_800_000_000,
        lastSeenSeconds: 1_800_000_015,
        flowCount: 1,
      },
    ]);
  });

  test('counts records that differ in reporter, port or bucket separately', () => {
    const flows = [
      flow(),
      flow({ reporter: 'dst' }),
      flow({ dstPort: 5433 }),
      flow({ startSeconds: 1_800_000_030 }),
    ];
    expect(expectedTrail(flows)).toMatchObject([{ flowCount: 4, lastSeenSeconds: 1_800_000_045 }]);
  });

  test('skips a record whose counters are all zero, unless another flow of it counted traffic', () => {
    expect(expectedTrail([flow(silent)])).toEqual([]);
    expect(expectedTrail([flow(silent), flow({ ...silent, bytesIn: 1 })])).toMatchObject([{ flowCount: 1 }]);
  });

  test('has no edge within a namespace or to an end without one', () => {
    const flows = [flow({ dstNamespace: 'blog' }), flow({ dstNamespace: '-' }), flow({ srcNamespace: '' })];
    expect(expectedTrail(flows)).toEqual([]);
  });
});
