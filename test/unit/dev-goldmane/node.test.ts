import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Clock } from '../../../src/time/clock.ts';
import { LoopClock } from '../../support/loop-clock.ts';
import { issueCertificates, type IssuedCertificates } from '../../../dev/certificates.ts';
import type { CollectorTarget } from '../../../dev/goldmane/collector-client.ts';
import { SimulatedNode } from '../../../dev/goldmane/node.ts';
import { startGoldmane, type Flow, type GoldmaneStandIn } from '../../../dev/goldmane/stand-in.ts';
import { until } from '../../conformance/waiting.ts';

describe('A simulated node', () => {
  let clock: Clock;
  let goldmane: GoldmaneStandIn;
  let certificates: IssuedCertificates;
  let target: CollectorTarget;
  let stop: AbortController;

  async function start(port = 0): Promise<void> {
    const { authority, server } = certificates;
    const tls = { ca: authority.certificate, cert: server.certificate, key: server.key };
    goldmane = await startGoldmane({ clock, tls, port, startAtOnce: true });
  }

  beforeEach(async () => {
    clock = new LoopClock(60);
    certificates = await issueCertificates();
    await start();
    const { authority, client } = certificates;
    target = {
      address: goldmane.address,
      tls: { ca: authority.certificate, cert: client.certificate, key: client.key },
    };
    stop = new AbortController();
  });

  afterEach(async () => {
    stop.abort();
    await goldmane.kill();
  });

  // Each flow is from another pod, because the server merges flows of the same pod and second.
  let pods = 0;
  const someFlows = (count: number, startSeconds: number): Flow[] =>
    Array.from({ length: count }, () => ({ startSeconds, srcName: `pod-${++pods}` }));

  it('flushes every 15 to 16.5 s, and the start time of flows is the previous flush', async () => {
    const node = new SimulatedNode({ target, clock });
    const running = node.run(stop.signal);
    const flushes = new Set<number>([node.gatheringSinceSeconds]);
    await until(
      'four flushes',
      () => flushes.add(node.gatheringSinceSeconds).size === 5,
      clock.realMs(80_000) + 2_000,
    );
    const times = [...flushes];
    for (const [index, time] of times.slice(1).entries()) {
      const gapSeconds = time - (times[index] ?? 0);
      expect(gapSeconds).toBeGreaterThanOrEqual(14);
      // With tolerance for a busy machine.
      expect(gapSeconds).toBeLessThan(30);
    }
    stop.abort();
    await running;
  });

  it('keeps its flows until the flush, and late flows longer', async () => {
    const prompt = new SimulatedNode({ target, clock, flushSeconds: 5, jitterSeconds: 0 });
    const late = new SimulatedNode({ target, clock, flushSeconds: 5, jitterSeconds: 0, lateSeconds: 60 });
    const startSeconds = Math.floor(clock.now() / 1000);
    const begun = clock.now();
    prompt.observe(someFlows(3, startSeconds));
    late.observe(someFlows(4, startSeconds));
    expect(goldmane.stats().ingested).toBe(0);
    void prompt.run(stop.signal);
    void late.run(stop.signal);
    await until('the prompt flows', () => prompt.sent === 3, 5_000);
    expect(late.sent).toBe(0);
    await until('the late flows', () => late.sent === 4, 10_000);
    expect(clock.now() - begun).toBeGreaterThanOrEqual(65_000);
    expect(goldmane.stats().ingested).toBe(7);
  });

  it('sends the flows of the last five minutes again after a failed send, but no older ones', async () => {
    // The test advances the node's clock, so that the duration of the restart has no effect on its cache.
    const begunMs = clock.now();
    let passedMs = 0;
    const nodeClock: Clock = {
      now: () => begunMs + passedMs,
      elapsed: () => passedMs,
      sleep: (ms, signal) => clock.sleep(ms, signal),
      realMs: (ms) => clock.realMs(ms),
    };
    const node = new SimulatedNode({ target, clock: nodeClock, flushSeconds: 100_000 });
    void node.run(stop.signal);
    const now = (): number => Math.floor(clock.now() / 1000);
    node.observe(someFlows(5, now()));
    node.flush();
    await until('the first five', () => node.sent === 5, 5_000);
    passedMs = 5 * 60_000 + 1_000;
    node.observe(someFlows(3, now()));
    node.flush();
    await until('three more', () => node.sent === 8, 5_000);
    const { port } = goldmane;
    await goldmane.kill();
    await start(port);
    expect(goldmane.stats().ingested).toBe(0);
    node.observe(someFlows(1, now()));
    node.flush();
    await until('the flows in its cache', () => node.resent === 4, 10_000);
    expect(goldmane.stats()).toMatchObject({ ingested: 4, alreadyKnown: 0 });
  });

  it('drops flows beyond 5,000 while it cannot send', async () => {
    await goldmane.kill();
    const node = new SimulatedNode({ target, clock });
    node.observe(someFlows(5_100, 1));
    node.flush();
    expect(node.dropped).toBe(100);
  });
});
