import { setTimeout as delay } from 'node:timers/promises';
import { MockActivityEnvironment } from '@temporalio/testing';
import { z } from 'zod';
import { settleBuckets } from '../src/ingest/settle-buckets.ts';
import { streamFlows } from '../src/ingest/stream-flows.ts';
import { loadConfig } from '../src/config/config.ts';
import { openDatabase } from '../src/trail/database/database.ts';
import { startBurst } from './burst-reader.ts';
import { countHistory, readHistory, targetOf } from './history.ts';
import { Meter } from './meter.ts';
import { createDeps } from './reader-deps.ts';
import { serve } from './subprocess.ts';

// The measured readers, in a separate process with the worker's environment.

const environment = z.record(z.string(), z.string());
const historyArgs = z.object({ env: environment, fromSeconds: z.number() });
const readArgs = z.object({ env: environment });
const settleArgs = z.object({ env: environment, fromSeconds: z.number(), toSeconds: z.number() });
const longWindow = { windowMs: 3_600_000 };
let burst: ReturnType<typeof startBurst> | undefined;

serve({
  /** A client that only counts raw messages. */
  async countHistory(args) {
    const { env, fromSeconds } = historyArgs.parse(args);
    const meter = new Meter();
    const abort = new AbortController();
    const following = countHistory({
      target: targetOf(env),
      fromSeconds,
      signal: abort.signal,
      onMessage: () => meter.count(),
    });
    await meter.untilQuiet();
    abort.abort();
    await following;
    return { ...meter.result(), cpuWithMergeMs: meter.result().cpuMs, peakMiB: peakMiB() };
  },

  /** The production activity, with a connection that requests history instead of live records. */
  async readHistory(args) {
    const { env, fromSeconds } = historyArgs.parse(args);
    const config = loadConfig(env);
    const meter = new Meter();
    const deps = createDeps(config, () => ({
      async stream(handlers, signal) {
        handlers.onOpen();
        await readHistory({
          target: config.goldmane,
          fromSeconds,
          signal,
          onMessage: meter.of(handlers),
        });
      },
    }));
    const activity = new MockActivityEnvironment();
    const reading = activity.run(() => streamFlows(deps, longWindow));
    await meter.untilQuiet();
    const read = meter.result();
    activity.cancel();
    const summary = await reading;
    const cpuWithMergeMs = meter.cpuMs();
    await deps.database.close();
    return { ...read, cpuWithMergeMs, peakMiB: peakMiB(), summary };
  },

  /** Starts following the stream; resolves when it is open. */
  async startBurst(args) {
    burst = startBurst(readArgs.parse(args).env);
    await burst.opened;
  },

  /** Records received so far. */
  burst: () => burst?.status(),

  async finishBurst() {
    return burst?.finish();
  },

  /** Settles due buckets until every bucket of the period is settled. */
  async settle(args) {
    const { env, fromSeconds, toSeconds } = settleArgs.parse(args);
    const config = loadConfig(env);
    const listMs: number[] = [];
    let firstListAt: number | undefined;
    let sleptMs = 0;
    const clock = {
      ...config.clock,
      async sleep(ms: number, signal?: AbortSignal) {
        const startedAt = performance.now();
        await config.clock.sleep(ms, signal).finally(() => (sleptMs += performance.now() - startedAt));
      },
    };
    const deps = createDeps({ ...config, clock }, (connection) => ({
      async list(start, signal) {
        const startedAt = performance.now();
        firstListAt ??= startedAt;
        const answer = await connection.list(start, signal);
        listMs.push(performance.now() - startedAt);
        return answer;
      },
    }));
    // Uses its own pool, so that the query is not delayed.
    const watching = openDatabase(config.database);
    const activity = new MockActivityEnvironment();
    const startedAt = performance.now();
    const cpu = process.cpuUsage();
    const settling = activity.run(() => settleBuckets(deps, longWindow));
    while ((await settledBuckets(watching, fromSeconds, toSeconds)) < (toSeconds - fromSeconds) / 15)
      await Promise.race([delay(100), settling]);
    const endedAt = performance.now();
    const seconds = (endedAt - startedAt) / 1000;
    const listingSeconds = (endedAt - (firstListAt ?? endedAt)) / 1000;
    const { user, system } = process.cpuUsage(cpu);
    const sleptSeconds = sleptMs / 1000;
    activity.cancel();
    const summary = await settling;
    await Promise.all([deps.database.close(), watching.close()]);
    return { seconds, listingSeconds, sleptSeconds, cpuMs: (user + system) / 1000, listMs, summary };
  },
});

function peakMiB(): number {
  return process.resourceUsage().maxRSS / 1024;
}

async function settledBuckets(
  database: ReturnType<typeof openDatabase>,
  fromSeconds: number,
  toSeconds: number,
): Promise<number> {
  const [row] = await database.query<{ settled: number }>(
    `select count(*)::int as settled from bucket_ledger where (settled_at is not null or gap_cause is not null)
     and bucket >= to_timestamp($1) and bucket < to_timestamp($2)`,
    [fromSeconds, toSeconds],
  );
  return row?.settled ?? 0;
}
