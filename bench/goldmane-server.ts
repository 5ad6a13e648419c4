import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { scaledClock, systemClock, type Clock } from '../src/time/clock.ts';
import { startGoldmane, type GoldmaneStandIn } from '../dev/goldmane/stand-in.ts';
import { BUCKET_SECONDS } from '../dev/simulation/cadence.ts';
import { deliveriesBetween } from '../dev/simulation/deliveries.ts';
import { serveFrames } from './go-frames.ts';
import { readHistory, targetOf } from './history.ts';
import { serve } from './subprocess.ts';
import { bucketOf, burst, flowsOfBucket, flowsOfNode } from './traffic.ts';

// The stand-in in a separate process, with its simulated cluster.

const scale = z.object({ realAnchorMs: z.number(), anchorMs: z.number(), speed: z.number() });
const startArgs = z.object({
  tls: z.object({ ca: z.string(), cert: z.string(), key: z.string() }),
  scale: scale.optional(),
});
const fillArgs = z.object({ size: z.number(), fromSeconds: z.number(), toSeconds: z.number() });
const followArgs = z.object({ size: z.number() });
const replayArgs = z.object({ env: z.record(z.string(), z.string()), fromSeconds: z.number() });
const burstArgs = z.object({ records: z.number() });

const arrivalSeed = 1;
/** The highest rate measured on a real server, which sends 24,000 to 39,000 records per second. */
const messagesPerSecond = 40_000;
/** The burst is complete this long before the bucket is sent. */
const burstLeadMs = 5_000;

let clock: Clock = systemClock;
let goldmane: GoldmaneStandIn | undefined;
let tls: z.infer<typeof startArgs>['tls'] | undefined;
let flowsIn = 0;

serve({
  async start(args) {
    const { tls: given, scale } = startArgs.parse(args);
    tls = given;
    if (scale) clock = scaledClock(scale);
    goldmane = await startGoldmane({ clock, tls, startAtOnce: true });
    return goldmane.address;
  },

  /** Whole buckets, including late flows, as on a server that has been running for a while. */
  async fill(args) {
    const { size, fromSeconds, toSeconds } = fillArgs.parse(args);
    for (let start = bucketOf(fromSeconds); start < toSeconds; start += BUCKET_SECONDS) {
      ingest(flowsOfBucket(size, start));
      await new Promise(setImmediate);
    }
    return flowsIn;
  },

  /** Starts the nodes; each sends at its own times. */
  follow(args) {
    const { size } = followArgs.parse(args);
    void followNodes(size);
  },

  /** Returns the bucket once the burst is in it, just before it is sent. */
  async burst(args) {
    const { records } = burstArgs.parse(args);
    const flows = burst(records, 0);
    const sentAtMs = (bucketOf((clock.now() + burstLeadMs) / 1000) + BUCKET_SECONDS) * 1000;
    await clock.sleep(sentAtMs - burstLeadMs - clock.now());
    // The bucket is sent two buckets after its start.
    const bucketSeconds = sentAtMs / 1000 - 2 * BUCKET_SECONDS;
    ingest(flows.map((flow) => ({ ...flow, startSeconds: bucketSeconds, endSeconds: bucketSeconds })));
    if (clock.now() > sentAtMs) throw new Error('creating the burst took too long');
    return bucketSeconds;
  },

  /** Reads the stand-in's history once and serves it framed like a Go server. @returns the address */
  async replay(args) {
    const { env, fromSeconds } = replayArgs.parse(args);
    if (!tls) throw new Error('there is no stand-in to replay');
    const messages: Buffer[] = [];
    const abort = new AbortController();
    const following = readHistory({
      target: targetOf(env),
      fromSeconds,
      signal: abort.signal,
      onMessage: (raw) => messages.push(Buffer.from(raw)),
    });
    for (let before = -1; before < messages.length || messages.length === 0;) {
      before = messages.length;
      await Promise.race([delay(500), following]);
    }
    abort.abort();
    await following;
    return serveFrames({ tls, messages, messagesPerSecond });
  },

  stats: () => ({ ...goldmane?.stats(), flowsIn }),
});

function ingest(flows: Parameters<GoldmaneStandIn['ingest']>[0]): void {
  flowsIn += flows.length;
  goldmane?.ingest(flows);
}

async function followNodes(size: number): Promise<void> {
  let sentMs = clock.now();
  for (;;) {
    const nowMs = clock.now();
    for (const { bucketStartSeconds, node } of deliveriesBetween(arrivalSeed, sentMs, nowMs))
      ingest(flowsOfNode(size, bucketStartSeconds, node));
    sentMs = nowMs;
    await delay(Math.max(2, clock.realMs(500)));
  }
}
