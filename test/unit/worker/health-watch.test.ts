import { pino } from 'pino';
import { expect, test } from 'vitest';
import { loadConfig } from '../../../src/config/config.ts';
import { DatabaseTrouble } from '../../../src/worker/database-trouble.ts';
import type { HealthMetrics } from '../../../src/worker/health-metrics.ts';
import { HealthWatch } from '../../../src/worker/health-watch.ts';
import { Readiness } from '../../../src/worker/readiness.ts';

test('a report that fails does not leave the previous one in the metrics', async () => {
  const stopping = new AbortController();
  const exported: (string | undefined)[] = [];
  const config = loadConfig({ DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none' });
  const metrics: HealthMetrics = {
    report: (report) => exported.push(report?.status),
    coverage() {},
    digest() {},
    failedRuns() {},
    crashes() {},
    storage() {},
    exported() {},
  };
  const watch = new HealthWatch({
    config: {
      ...config,
      clock: {
        ...config.clock,
        sleep() {
          stopping.abort();
          return Promise.resolve();
        },
      },
    },
    // The report explains failures of the database, but not an error of the program.
    query: () => Promise.reject(new Error('a bug')),
    log: pino({ level: 'silent' }),
    readiness: new Readiness(),
    metrics,
    worker: { ready() {} },
    readers: { begin() {} },
    jobs: { checkedElsewhere() {} },
    temporal: () => undefined,
    databaseTrouble: new DatabaseTrouble(config.clock),
  });
  await watch.exportMetrics(stopping.signal);
  expect(exported).toEqual([undefined]);
});
