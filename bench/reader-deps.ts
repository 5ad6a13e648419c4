import { noopMetricMeter } from '@temporalio/common';
import { pino } from 'pino';
import type { Deps } from '../src/ingest/deps.ts';
import { createReaderMetrics } from '../src/ingest/metrics.ts';
import type { Config } from '../src/config/config.ts';
import { connectGoldmane, type GoldmaneConnection } from '../src/goldmane/connection.ts';
import { ServerClock } from '../src/goldmane/server-clock.ts';
import { openDatabase } from '../src/trail/database/database.ts';

/**
 * The dependencies that the worker passes to its activities, and the last values of their gauges.
 * @param measured replaces methods of the connection
 */
export function createDeps(
  config: Config,
  measured: (connection: GoldmaneConnection) => Partial<Pick<GoldmaneConnection, 'list' | 'stream'>>,
): Deps & { gauges: { pending: number } } {
  const gauges = { pending: 0 };
  const metrics = createReaderMetrics(noopMetricMeter);
  return {
    config,
    database: openDatabase(config.database),
    log: pino({ level: config.logLevel }, pino.destination(2)),
    metrics: { ...metrics, pending: (records) => (gauges.pending = records) },
    serverClock: new ServerClock(config.clock),
    async connectGoldmane(signal) {
      const connection = await connectGoldmane(config.goldmane, { clock: config.clock, signal });
      return {
        bundle: connection.bundle,
        list: (startSeconds, abort) => connection.list(startSeconds, abort),
        askClock: (abort) => connection.askClock(abort),
        stream: (handlers, abort) => connection.stream(handlers, abort),
        close: () => connection.close(),
        ...measured(connection),
      };
    },
    heartbeat: { succeeded: () => undefined, failed: () => undefined },
    report: () => false,
    gauges,
  };
}
