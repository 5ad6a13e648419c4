import { noopMetricMeter } from '@temporalio/common';
import { pino } from 'pino';
import type { Deps } from '../src/ingest/deps.ts';
import { createMetrics } from '../src/ingest/metrics.ts';
import type { Config } from '../src/config/config.ts';
import type { GoldmaneConnection } from '../src/goldmane/connection.ts';
import { ServerClock } from '../src/goldmane/server-clock.ts';
import { openDatabase } from '../src/trail/database.ts';

/** What the worker would give its activities, and the gauges that they set last. */
export function createDeps(
  config: Config,
  { connect }: { connect(signal: AbortSignal): Promise<GoldmaneConnection> },
): Deps & { gauges: { pending: number } } {
  const gauges = { pending: 0 };
  const metrics = createMetrics(noopMetricMeter);
  return {
    config,
    database: openDatabase(config.database),
    log: pino({ level: config.logLevel }, pino.destination(2)),
    metrics: { ...metrics, pending: (records) => (gauges.pending = records) },
    serverClock: new ServerClock(config.clock),
    connectGoldmane: connect,
    heartbeat: { succeeded: () => undefined, failed: () => undefined },
    report: () => false,
    gauges,
  };
}
