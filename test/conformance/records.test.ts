import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Flow, PolicyHit } from '../../dev/goldmane/flow.ts';
import { versions } from './environment.ts';
import type { Received } from './reader.ts';
import { Harness } from './harness.ts';
import { until } from './waiting.ts';

describe.each(versions)('The records of Goldmane %s', (version) => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await Harness.open({ version });
  });
  afterAll(() => harness?.close());

  /** Sends a flow and returns its records, after checking that Stream and List agree. */
  async function streamedAndListed(ns: string, flow: Flow, expected = 1): Promise<Received[]> {
    const stream = harness.reader.follow();
    const listed = await harness.feedAndList(ns, [flow], expected);
    const streamed = await stream.waitFor(ns, expected);
    stream.cancel();
    const byId = (a: Received, b: Received): number => a.id - b.id;
    expect(streamed.toSorted(byId)).toEqual(listed.toSorted(byId));
    return listed;
  }

  it.concurrent('contain every field as the node sent it', async () => {
    const ns = harness.namespace();
    const hit: PolicyHit = {
      kind: 'EndOfTier',
      namespace: 'p-ns',
      name: 'p',
      tier: 'platform',
      action: 'deny',
      policyIndex: 3,
      ruleIndex: -1,
      trigger: { kind: 'GlobalNetworkPolicy', name: 'trigger', tier: 'platform', policyIndex: 2 },
    };
    const startSeconds = await harness.nextBucket();
    const [record] = await streamedAndListed(ns, {
      startSeconds,
      srcName: 'immich-server-6c9f7d-*',
      srcType: 'workload',
      dstName: 'node-1',
      dstNamespace: '-',
      dstType: 'host',
      dstPort: 65_535,
      serviceName: 'svc',
      serviceNamespace: 'svc-ns',
      servicePortName: 'https',
      servicePort: 443,
      protocol: 'sctp',
      reporter: 'dst',
      action: 'deny',
      policies: { enforced: [hit], pending: [{ kind: 'StagedKubernetesNetworkPolicy', name: 'staged' }] },
      packetsIn: 1,
      packetsOut: 2,
      bytesIn: 2 ** 40,
      bytesOut: 4,
      connectionsStarted: 5,
      connectionsCompleted: 6,
      connectionsLive: 7,
    });
    const noHit = {
      namespace: '',
      name: '',
      tier: '',
      action: 0,
      policyIndex: 0,
      ruleIndex: 0,
      trigger: null,
    };
    expect(record?.flow).toEqual({
      Key: {
        sourceName: 'immich-server-6c9f7d-*',
        sourceNamespace: ns,
        sourceType: 1,
        destName: 'node-1',
        destNamespace: '-',
        destType: 2,
        destPort: 65_535,
        destServiceName: 'svc',
        destServiceNamespace: 'svc-ns',
        destServicePortName: 'https',
        destServicePort: 443,
        proto: 'sctp',
        reporter: 2,
        action: 2,
        policies: {
          enforcedPolicies: [
            {
              ...noHit,
              kind: 10,
              namespace: 'p-ns',
              name: 'p',
              tier: 'platform',
              action: 2,
              policyIndex: 3,
              ruleIndex: -1,
              trigger: { ...noHit, kind: 2, name: 'trigger', tier: 'platform', policyIndex: 2 },
            },
          ],
          pendingPolicies: [{ ...noHit, kind: 5, name: 'staged' }],
        },
      },
      startTime: startSeconds,
      endTime: startSeconds + harness.server.bucketSeconds,
      sourceLabels: [],
      destLabels: [],
      packetsIn: 1,
      packetsOut: 2,
      bytesIn: 2 ** 40,
      bytesOut: 4,
      numConnectionsStarted: 5,
      numConnectionsCompleted: 6,
      numConnectionsLive: 7,
    });
  });

  it.concurrent('are returned when all counters are zero', async () => {
    const [record] = await streamedAndListed(harness.namespace(), {
      startSeconds: await harness.nextBucket(),
      action: 'deny',
      packetsIn: 0,
      packetsOut: 0,
      bytesIn: 0,
      bytesOut: 0,
      connectionsStarted: 0,
      connectionsLive: 0,
    });
    expect(record?.flow).toMatchObject({ packetsIn: 0, numConnectionsStarted: 0, numConnectionsLive: 0 });
  });

  it.concurrent('are returned with unknown enumeration values unchanged', async () => {
    const [record] = await streamedAndListed(harness.namespace(), {
      startSeconds: await harness.nextBucket(),
      action: 17,
      reporter: 9,
      srcType: 200,
      policies: { enforced: [{ kind: 99, action: 12 }] },
    });
    expect(record?.flow.Key).toMatchObject({ action: 17, reporter: 9, sourceType: 200 });
  });

  it.concurrent('are returned with NUL bytes and very long names unchanged', async () => {
    const ns = harness.namespace();
    const srcName = 'a\u0000b';
    const dstNamespace = 'n'.repeat(10_000);
    const [record] = await streamedAndListed(ns, {
      startSeconds: await harness.nextBucket(),
      srcName,
      dstNamespace,
    });
    expect(record?.flow.Key).toMatchObject({ sourceName: srcName, destNamespace: dstNamespace });
  });

  it.concurrent('are returned with an empty key', async () => {
    const stream = harness.reader.follow();
    const startSeconds = await harness.nextBucket();
    await harness.feed([
      {
        startSeconds,
        srcName: '',
        srcNamespace: '',
        srcType: 'unspecified',
        dstName: '',
        dstNamespace: '',
        dstType: 'unspecified',
        dstPort: 0,
        serviceName: '',
        serviceNamespace: '',
        servicePortName: '',
        protocol: '',
        reporter: 'unspecified',
        action: 'unspecified',
      },
    ]);
    const [record] = await stream.waitFor('', 1);
    expect(record?.flow.Key).toMatchObject({ sourceName: '', proto: '', action: 0, policies: {} });
    stream.cancel();
  });

  it.concurrent('are separate for flows that differ only in reporter, action, port, service or protocol', async () => {
    const ns = harness.namespace();
    const startSeconds = await harness.nextBucket();
    const variants: Partial<Flow>[] = [
      {},
      { reporter: 'dst' },
      { action: 'deny' },
      { dstPort: 1 },
      { serviceName: 'x' },
      { protocol: 'udp' },
    ];
    const records = await harness.feedAndList(
      ns,
      variants.map((variant) => ({ startSeconds, ...variant })),
    );
    expect(new Set(records.map(({ id }) => id)).size).toBe(variants.length);
  });

  it.concurrent('are two for one connection whose policy trace arrives in two orders', async () => {
    const ns = harness.namespace();
    const startSeconds = await harness.nextBucket();
    const first: PolicyHit = { kind: 'NetworkPolicy', name: 'first', action: 'allow', policyIndex: 0 };
    const second: PolicyHit = { kind: 'NetworkPolicy', name: 'second', action: 'allow', policyIndex: 1 };
    const records = await harness.feedAndList(ns, [
      { startSeconds, policies: { enforced: [first, second], pending: [first, second] } },
      { startSeconds, policies: { enforced: [second, first], pending: [second, first] } },
    ]);
    expect(new Set(records.map(({ id }) => id)).size).toBe(2);
    const orders = records.map(({ flow }) => names(flow.Key.policies)).toSorted();
    const [asGiven, sorted] = ['second,first', 'first,second'];
    expect(orders).toEqual(version === '3.30' ? [sorted, asGiven] : [sorted, sorted]);
  });

  it.concurrent('have the labels common to all contributing flows, sorted, even if one arrives late', async () => {
    const ns = harness.namespace();
    const startSeconds = await harness.nextBucket();
    const labelsAfter = async (contributors: number): Promise<unknown> => {
      let record: Received | undefined;
      await until(
        `${contributors} contributors`,
        async () => {
          [record] = await harness.reader.bucket(startSeconds, ns);
          return record?.flow.packetsIn === contributors;
        },
        10_000,
      );
      return [record?.flow.sourceLabels, record?.flow.destLabels];
    };
    const sourceLabels = ['service-identity=x', 'app=a'];
    await harness.feedAndList(ns, [{ startSeconds, sourceLabels, destLabels: ['b=1', 'b=0'] }]);
    expect(await labelsAfter(1)).toEqual([
      ['app=a', 'service-identity=x'],
      ['b=0', 'b=1'],
    ]);
    // After the stream has sent the bucket.
    await harness.nextBucket(3);
    await harness.feed([{ startSeconds, srcNamespace: ns, sourceLabels: ['app=a', 'z=9'], destLabels: [] }]);
    expect(await labelsAfter(2)).toEqual([['app=a'], []]);
    await harness.feed([{ startSeconds, srcNamespace: ns, sourceLabels, destLabels: ['b=1'] }]);
    expect(await labelsAfter(3)).toEqual([['app=a'], []]);
  });

  it.concurrent('of one key have the same id in every bucket', async () => {
    const ns = harness.namespace();
    const filling = await harness.nextBucket();
    const [older] = await harness.feedAndList(ns, [
      { startSeconds: filling - 50 * harness.server.bucketSeconds },
    ]);
    const [newer] = await harness.feedAndList(ns, [{ startSeconds: filling }]);
    expect(newer?.id).toBe(older?.id);
  });
});

function names({ enforcedPolicies }: { enforcedPolicies: { name: string }[] }): string {
  return enforcedPolicies.map(({ name }) => name).join(',');
}
