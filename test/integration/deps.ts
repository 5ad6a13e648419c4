import { noopMetricMeter } from '@temporalio/common';
import { pino } from 'pino';
import type { JobDeps } from '../../src/activities/deps.ts';
import { createJobMetrics } from '../../src/activities/metrics.ts';
import { createReaderMetrics } from '../../src/ingest/metrics.ts';
import type { Clock } from '../../src/time/clock.ts';
import { loadConfig } from '../../src/config/config.ts';
import { ServerClock } from '../../src/goldmane/server-clock.ts';
import type { Database } from '../../src/trail/database/database.ts';

/** Dependencies of activities with the test's database and clock, without logging and reporting. */
export function testDeps(database: Database, clock: Clock): JobDeps {
  const serverClock = new ServerClock(clock);
  serverClock.assume(clock.now());
  return {
    config: { ...loadConfig({ DATABASE_URL: 'postgres://nobody@nowhere/nothing' }), clock },
    database,
    log: pino({ level: 'silent' }),
    metrics: createReaderMetrics(noopMetricMeter),
    jobMetrics: createJobMetrics(noopMetricMeter),
    serverClock,
    connectGoldmane: () => Promise.reject(new Error('no Goldmane in this test')),
    heartbeat: { succeeded: () => undefined, failed: () => undefined },
    report: () => false,
  };
}
