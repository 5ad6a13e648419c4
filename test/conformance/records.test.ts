import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Flow, PolicyHit } from '../../dev/goldmane/flow.ts';
import { versions } from './environment.ts';
import type { Received } from './reader.ts';
import { Scene } from './scene.ts';
import { until } from './waiting.ts';

describe.each(versions)('The records of %s', (version) => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await Scene.open({ version });
  });
  afterAll(() => scene?.close());

  /** The records as both ways give them, after making sure that they agree. */
  async function streamedAndListed(ns: string, flow: Flow, expected = 1): Promise<Received[]> {
    const stream = scene.reader.follow();
    const listed = await scene.feedAndSee(ns, [flow], expected);
    const streamed = await stream.waitFor(ns, expected);
    stream.cancel();
    const byId = (a: Received, b: Received): number => a.id - b.id;
    expect(streamed.toSorted(byId)).toEqual(listed.toSorted(byId));
    return listed;
  }

  it.concurrent('carry every field as the node gave it', async () => {
    const ns = scene.namespace();
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
    const startSeconds = await scene.nextBucket();
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
      endTime: startSeconds + scene.server.bucketSeconds,
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

  it.concurrent('are passed on when nothing in them counts', async () => {
    const [record] = await streamedAndListed(scene.namespace(), {
      startSeconds: await scene.nextBucket(),
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

  it.concurrent('are passed on with numbers that no enumeration knows', async () => {
    const [record] = await streamedAndListed(scene.namespace(), {
      startSeconds: await scene.nextBucket(),
      action: 17,
      reporter: 9,
      srcType: 200,
      policies: { enforced: [{ kind: 99, action: 12 }] },
    });
    expect(record?.flow.Key).toMatchObject({ action: 17, reporter: 9, sourceType: 200 });
  });

  it.concurrent('are passed on with absurd names', async () => {
    const ns = scene.namespace();
    const srcName = 'a\u0000b';
    const dstNamespace = 'n'.repeat(10_000);
    const [record] = await streamedAndListed(ns, {
      startSeconds: await scene.nextBucket(),
      srcName,
      dstNamespace,
    });
    expect(record?.flow.Key).toMatchObject({ sourceName: srcName, destNamespace: dstNamespace });
  });

  it.concurrent('are passed on with an empty key', async () => {
    const stream = scene.reader.follow();
    const startSeconds = await scene.nextBucket();
    await scene.feed([
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

  it.concurrent('keep apart what differs in reporter, action, port or service only', async () => {
    const ns = scene.namespace();
    const startSeconds = await scene.nextBucket();
    const variants: Partial<Flow>[] = [
      {},
      { reporter: 'dst' },
      { action: 'deny' },
      { dstPort: 1 },
      { serviceName: 'x' },
      { protocol: 'udp' },
    ];
    const records = await scene.feedAndSee(
      ns,
      variants.map((variant) => ({ startSeconds, ...variant })),
    );
    expect(new Set(records.map(({ id }) => id)).size).toBe(variants.length);
  });

  it.concurrent('are two for one connection whose trace came in two orders', async () => {
    const ns = scene.namespace();
    const startSeconds = await scene.nextBucket();
    const first: PolicyHit = { kind: 'NetworkPolicy', name: 'first', action: 'allow', policyIndex: 0 };
    const second: PolicyHit = { kind: 'NetworkPolicy', name: 'second', action: 'allow', policyIndex: 1 };
    const records = await scene.feedAndSee(ns, [
      { startSeconds, policies: { enforced: [first, second], pending: [first, second] } },
      { startSeconds, policies: { enforced: [second, first], pending: [second, first] } },
    ]);
    expect(new Set(records.map(({ id }) => id)).size).toBe(2);
    const orders = records.map(({ flow }) => names(flow.Key.policies)).toSorted();
    const [asGiven, sorted] = ['second,first', 'first,second'];
    expect(orders).toEqual(version === '3.30' ? [sorted, asGiven] : [sorted, sorted]);
  });

  it.concurrent('have the labels that all contributors share, sorted, shrinking to the last', async () => {
    const ns = scene.namespace();
    const startSeconds = await scene.nextBucket();
    const seen = async (contributors: number): Promise<unknown> => {
      let record: Received | undefined;
      await until(
        `${contributors} contributors`,
        async () => {
          [record] = await scene.reader.bucket(startSeconds, ns);
          return record?.flow.packetsIn === contributors;
        },
        10_000,
      );
      return [record?.flow.sourceLabels, record?.flow.destLabels];
    };
    const sourceLabels = ['service-identity=x', 'app=a'];
    await scene.feedAndSee(ns, [{ startSeconds, sourceLabels, destLabels: ['b=1', 'b=0'] }]);
    expect(await seen(1)).toEqual([
      ['app=a', 'service-identity=x'],
      ['b=0', 'b=1'],
    ]);
    // Long after the bucket was sent.
    await scene.nextBucket(3);
    await scene.feed([{ startSeconds, srcNamespace: ns, sourceLabels: ['app=a', 'z=9'], destLabels: [] }]);
    expect(await seen(2)).toEqual([['app=a'], []]);
    await scene.feed([{ startSeconds, srcNamespace: ns, sourceLabels, destLabels: ['b=1'] }]);
    expect(await seen(3)).toEqual([['app=a'], []]);
  });

  it.concurrent('keep their id from bucket to bucket', async () => {
    const ns = scene.namespace();
    const filling = await scene.nextBucket();
    const [older] = await scene.feedAndSee(ns, [{ startSeconds: filling - 50 * scene.server.bucketSeconds }]);
    const [newer] = await scene.feedAndSee(ns, [{ startSeconds: filling }]);
    expect(newer?.id).toBe(older?.id);
  });
});

function names({ enforcedPolicies }: { enforcedPolicies: { name: string }[] }): string {
  return enforcedPolicies.map(({ name }) => name).join(',');
}
