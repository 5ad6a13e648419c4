import { noopMetricMeter } from '@temporalio/common';
import { pino } from 'pino';
import type { Deps } from '../../src/ingest/deps.ts';
import { createMetrics } from '../../src/ingest/metrics.ts';
import type { Clock } from '../../src/time/clock.ts';
import { loadConfig } from '../../src/config/config.ts';
import { ServerClock } from '../../src/goldmane/server-clock.ts';
import type { Database } from '../../src/trail/database.ts';

/** Dependencies of activities with the test's database and clock, without logging and reporting. */
export function testDeps(database: Database, clock: Clock): Deps {
  const serverClock = new ServerClock(clock);
  serverClock.assume(clock.now());
  return {
    config: { ...loadConfig({ DATABASE_URL: 'postgres://nobody@nowhere/nothing' }), clock },
    database,
    log: pino({ level: 'silent' }),
    metrics: createMetrics(noopMetricMeter),
    serverClock,
    connectGoldmane: () => Promise.reject(new Error('no Goldmane in this test')),
    heartbeat: { succeeded: () => undefined, failed: () => undefined },
    report: () => false,
  };
}
