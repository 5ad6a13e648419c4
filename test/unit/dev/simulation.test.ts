import { setMaxListeners } from 'node:events';
import { describe, expect, test } from 'vitest';
import type { Clock } from '../../../src/time/clock.ts';
import type { CompleteFlow } from '../../../dev/goldmane/flow.ts';
import { arrivalMsOf, LATE_NODE } from '../../../dev/simulation/arrivals.ts';
import { BUCKET_SECONDS } from '../../../dev/simulation/cadence.ts';
import { deliveriesBetween, runNodes, sendPastHour } from '../../../dev/simulation/deliveries.ts';
import { expectedTrail } from '../../../dev/simulation/expected-trail.ts';
import { flowsOf } from '../../../dev/simulation/flows.ts';
import { NODE_COUNT } from '../../../dev/simulation/workloads.ts';

const START = 1_795_316_670;
const SEED = 14;
const nodes = Array.from({ length: NODE_COUNT }, (_, node) => node);
const hour = Array.from({ length: 240 }, (_, index) => START + index * BUCKET_SECONDS);

function flowsOfBucket(seed: number, bucket: number): CompleteFlow[] {
  return nodes.flatMap((node) => flowsOf(seed, bucket, node));
}

/** The identity of a record. */
function recordOf(flow: CompleteFlow): string {
  return [
    ...[Math.floor(flow.startSeconds / BUCKET_SECONDS), flow.srcName, flow.srcNamespace, flow.dstName],
    ...[flow.dstNamespace, flow.dstPort, flow.servicePortName, flow.protocol, flow.reporter, flow.action],
  ].join(' ');
}

describe.each([1, SEED, 77])('the simulated cluster of seed %i', (seed) => {
  const flows = hour.flatMap((bucket) => flowsOfBucket(seed, bucket));

  test('does not depend on the time or order of calls', () => {
    const bucket = START + 1_500 * BUCKET_SECONDS;
    const before = flowsOfBucket(seed, bucket);
    flowsOfBucket(seed, bucket + 86_400);
    expect(flowsOfBucket(seed, bucket)).toEqual(before);
    expect(nodes.toReversed().map((node) => flowsOf(seed, bucket, node))).toEqual(
      nodes.map((node) => flowsOf(seed, bucket, node)).toReversed(),
    );
  });

  test('has about 90 namespaces, 390 edges and 580 records per bucket', () => {
    const namespaces = new Set(
      flows.flatMap(({ srcNamespace, dstNamespace }) => [srcNamespace, dstNamespace]),
    );
    expect(namespaces.size).toBeGreaterThan(85);
    expect(namespaces.size).toBeLessThan(95);
    const edges = expectedTrail(flows);
    expect(edges.length).toBeGreaterThan(340);
    expect(edges.length).toBeLessThan(440);
    const perBucket = new Set(flows.map(recordOf)).size / hour.length;
    expect(perBucket).toBeGreaterThan(530);
    expect(perBucket).toBeLessThan(630);
  });

  test('contains the difficult cases', () => {
    const has = (what: (flow: CompleteFlow) => boolean): boolean => flows.some(what);
    const isSilent = ({ packetsIn, connectionsLive }: CompleteFlow): boolean =>
      packetsIn + connectionsLive === 0;
    expect(has((flow) => flow.action === 'deny' && flow.reporter === 'src' && !isSilent(flow))).toBe(true);
    expect(has((flow) => flow.action === 'deny' && flow.reporter === 'dst' && !isSilent(flow))).toBe(true);
    expect(has((flow) => flow.action === 'deny' && isSilent(flow))).toBe(true);
    expect(has((flow) => flow.protocol === 'icmp' && flow.dstPort === 0)).toBe(true);
    expect(has((flow) => flow.protocol === 'udp' && flow.dstPort === 53)).toBe(true);
    expect(has((flow) => flow.protocol === 'tcp' && flow.dstPort === 53)).toBe(true);
    expect(has((flow) => flow.srcNamespace === flow.dstNamespace)).toBe(true);
    for (const name of ['pub', 'pvt']) expect(has(({ dstName }) => dstName === name)).toBe(true);
    for (const type of ['host', 'networkset', 'network']) {
      expect(has(({ srcType, srcNamespace }) => srcType === type && srcNamespace === '-')).toBe(true);
    }
    expect(has(({ dstType, dstNamespace }) => dstType === 'networkset' && dstNamespace !== '-')).toBe(true);
    expect(has(({ policies }) => policies.pending?.[0]?.kind === 'StagedNetworkPolicy')).toBe(true);
    expect(has(({ policies }) => policies.enforced?.[0]?.trigger !== undefined)).toBe(true);
    const firstKinds = new Set(
      flows
        .filter(({ policies }) => policies.enforced?.length === 2)
        .map(({ policies }) => policies.enforced?.[0]?.kind),
    );
    expect(firstKinds).toEqual(new Set(['GlobalNetworkPolicy', 'Profile']));
  });

  test('labels only some of the pods in the namespaces with several services', () => {
    for (const namespace of ['monitoring', 'kube-system', 'dbaas']) {
      const labelled = flows
        .filter(({ dstNamespace, dstType }) => dstNamespace === namespace && dstType === 'workload')
        .map(({ destLabels }) => destLabels.some((label) => label.startsWith('service-identity=')));
      expect(new Set(labelled)).toEqual(new Set([true, false]));
    }
  });

  test('reports a connection between two pods by both ends, a blocked one as allow and deny', () => {
    const between = flows.filter(({ dstNamespace, dstPort }) => dstNamespace === 'redis' && dstPort === 6379);
    expect(new Set(between.map(({ reporter }) => reporter))).toEqual(new Set(['src', 'dst']));
    const blocked = flows.filter(
      (flow) => flow.action === 'deny' && flow.reporter === 'dst' && flow.packetsIn > 0,
    );
    for (const { srcName, dstName, startSeconds } of blocked.slice(0, 50)) {
      const bucket = Math.floor(startSeconds / 15);
      const src = flows.filter(
        (flow) =>
          flow.srcName === srcName &&
          flow.dstName === dstName &&
          Math.floor(flow.startSeconds / 15) === bucket,
      );
      expect(src.map(({ reporter, action }) => `${reporter} ${action}`)).toContain('src allow');
    }
  });

  test('has occasional new edges: some recur, some occur once', { timeout: 60_000 }, () => {
    const first = new Set(expectedTrail(flows).map(({ srcNs, dstNs }) => `${srcNs} ${dstNs}`));
    const next = hour.flatMap((bucket) => flowsOfBucket(seed, bucket + 3_600));
    const fresh = expectedTrail(next).filter(({ srcNs, dstNs }) => !first.has(`${srcNs} ${dstNs}`));
    expect(fresh.length).toBeGreaterThan(5);
    expect(fresh.length).toBeLessThan(40);
    expect(fresh.some(({ flowCount }) => flowCount > 10)).toBe(true);
    expect(fresh.some(({ flowCount }) => flowCount <= 2)).toBe(true);
  });

  test('sends about one flow in twenty after its bucket was sent; one node is sometimes minutes late', () => {
    const lateMs = hour.flatMap((bucket) =>
      nodes.flatMap((node) =>
        flowsOf(seed, bucket, node).map(() => arrivalMsOf(seed, bucket, node) - (bucket + 30) * 1_000),
      ),
    );
    const late = lateMs.filter((ms) => ms > 0).length / lateMs.length;
    expect(late).toBeGreaterThan(0.02);
    expect(late).toBeLessThan(0.09);
    const worst = Math.max(
      ...hour.map((bucket) => arrivalMsOf(seed, bucket, LATE_NODE) - (bucket + 15) * 1_000),
    );
    expect(worst).toBeGreaterThan(3 * 60_000);
    expect(worst).toBeLessThan(5 * 60_000);
  });
});

/** A clock that the test advances. */
function handClock(): Clock & { advance(ms: number): Promise<void> } {
  let now = START * 1_000;
  let sleepers: { atMs: number; wake: () => void }[] = [];
  return {
    now: () => now,
    elapsed: () => now,
    realMs: (ms) => ms,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        signal?.addEventListener('abort', () => reject(new Error('aborted')), { once: true });
        sleepers.push({ atMs: now + ms, wake: resolve });
      }),
    async advance(ms) {
      const end = now + ms;
      for (;;) {
        const next = sleepers.toSorted((a, b) => a.atMs - b.atMs)[0];
        if (!next || next.atMs > end) break;
        now = Math.max(now, next.atMs);
        sleepers = sleepers.filter((sleeper) => sleeper !== next);
        next.wake();
        await new Promise((resolve) => setImmediate(resolve));
      }
      now = end;
    },
  };
}

describe('the simulated nodes', () => {
  test('send each flow exactly once, in the past hour and afterwards', async () => {
    const clock = handClock();
    const ending = new AbortController();
    const sent: string[] = [];
    setMaxListeners(0, ending.signal);
    const options = {
      seed: SEED,
      clock,
      signal: ending.signal,
      ingest: (flows: readonly CompleteFlow[]) => {
        const first = flows[0];
        if (first) sent.push(recordOf(first));
      },
    };
    const sentUntilMs = await sendPastHour(options);
    const running = runNodes({ ...options, sentUntilMs });
    await clock.advance(10 * 60_000);
    ending.abort();
    await running;

    const due = deliveriesBetween(SEED, (START - 3_600) * 1_000, clock.now())
      .flatMap(({ bucketStartSeconds, node }) => flowsOf(SEED, bucketStartSeconds, node).slice(0, 1))
      .map(recordOf);
    expect(sent).toEqual(due);
    expect(sent.length).toBeGreaterThan(1_600);
  });
});
