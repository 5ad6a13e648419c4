import { monitorEventLoopDelay } from 'node:perf_hooks';
import { MockActivityEnvironment } from '@temporalio/testing';
import { streamFlows } from '../src/ingest/stream-flows.ts';
import { loadConfig } from '../src/config/config.ts';
import { createDeps } from './reader-deps.ts';

/** Follows the stream like the worker, and measures arrivals and event loop delays. */
export function startBurst(env: Record<string, string>) {
  const config = loadConfig(env);
  const arrivals = { count: 0, firstAt: 0, lastAt: 0, longestGapMs: 0 };
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  const take = () => {
    const now = performance.now();
    if (arrivals.count === 0) arrivals.firstAt = now;
    else arrivals.longestGapMs = Math.max(arrivals.longestGapMs, now - arrivals.lastAt);
    arrivals.lastAt = now;
    arrivals.count += 1;
  };
  const deps = createDeps(config, (connection) => ({
    stream: (handlers, signal) =>
      connection.stream(
        {
          onOpen() {
            handlers.onOpen();
            open();
          },
          onMessage(raw) {
            take();
            handlers.onMessage(raw);
          },
        },
        signal,
      ),
  }));
  const activity = new MockActivityEnvironment();
  const loop = monitorEventLoopDelay({ resolution: 5 });
  loop.enable();
  const reading = activity.run(() => streamFlows(deps, { windowMs: 3_600_000 }));
  reading.catch(() => undefined);
  return {
    opened,
    status: () => ({
      count: arrivals.count,
      seconds: (arrivals.lastAt - arrivals.firstAt) / 1000,
      longestGapMs: arrivals.longestGapMs,
      longestHoldMs: loop.max / 1e6,
      pending: deps.gauges.pending,
    }),
    async finish() {
      activity.cancel();
      const summary = await reading;
      await deps.database.close();
      return summary;
    },
  };
}
