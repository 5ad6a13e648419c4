import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import type { Lab } from './lab.ts';
import type { Row } from './table.ts';
import { burst } from './traffic.ts';
import { countsInEdge } from './naive-writer.ts';

const records = 100_000;
const outageMs = 60_000;
/** Far below the minute of lag after which a stream is replaced, and below all gRPC timeouts. */
const holdLimitMs = 1_000;
const limitMs = 180_000;

const statusShape = z.object({
  count: z.number(),
  seconds: z.number(),
  longestGapMs: z.number(),
  longestHoldMs: z.number(),
  pending: z.number(),
});
const summaryShape = z.object({
  connections: z.number(),
  recordsMerged: z.number(),
  leftOut: z.record(z.string(), z.number()),
});

/**
 * Sends 100,000 records of one bucket while the database is stopped for a minute: the worker must accept all, and write
 * them afterwards.
 */
export async function burstSection(lab: Lab, print: (line: string) => void): Promise<Row[]> {
  const goldmane = await lab.goldmane();
  const { url, database } = await lab.database();
  const reader = await lab.process('readers.js', 'a reader');
  const status = () => reader.ask(statusShape, 'burst');
  await reader.ask(z.unknown(), 'startBurst', {
    env: { ...goldmane.env, DATABASE_URL: url, LOG_LEVEL: 'error' },
  });

  print(`burst: stopping the database for ${outageMs / 1000} s while ${records} records arrive`);
  await lab.postgres.stop();
  const stoppedAt = performance.now();
  await goldmane.burst(records);
  const arrived = await untilLast(status);
  await delay(Math.max(0, outageMs - (performance.now() - stoppedAt)));
  const { pending } = await status();
  await lab.postgres.start();

  const expected = burst(records, 0).filter(countsInEdge).length;
  print(`burst: the database is back; ${pending} records are pending`);
  const startedAt = performance.now();
  const written = async () => {
    const rows = await database
      .query<{ records: number }>('select coalesce(sum(flow_count), 0)::int as records from edge')
      .catch(() => []);
    return rows[0]?.records ?? 0;
  };
  while ((await written()) < expected && performance.now() - startedAt < limitMs) await delay(250);
  const secondsToWrite = (performance.now() - startedAt) / 1000;
  const summary = await reader.ask(summaryShape, 'finishBurst');
  const merged = await written();
  await Promise.all([reader.stop(), goldmane.stop()]);
  const section = 'burst';
  return [
    {
      section,
      what: 'fraction of sent records accepted',
      value: arrived.count / records,
      unit: 'x',
      limit: { atLeast: 1 },
      note: `${arrived.count.toLocaleString('en-US')} in ${arrived.seconds.toFixed(1)} s, ${summary.leftOut['dropped'] ?? 0} dropped`,
    },
    {
      section,
      what: 'fraction of countable records counted in edges',
      value: merged / expected,
      unit: 'x',
      limit: { atLeast: 1 },
      note: `${merged.toLocaleString('en-US')} of ${expected.toLocaleString('en-US')}`,
    },
    {
      section,
      what: 'connections used',
      value: summary.connections,
      unit: '',
      limit: { atMost: 1 },
    },
    {
      section,
      what: 'longest time without reading',
      value: arrived.longestHoldMs,
      unit: 'ms',
      limit: { atMost: holdLimitMs },
      note: `event loop delay; at most ${Math.round(arrived.longestGapMs)} ms between two records`,
    },
    { section, what: 'records pending when the database was back', value: pending, unit: 'records' },
    { section, what: 'time until everything was written', value: secondsToWrite, unit: 's' },
  ];
}

async function untilLast(
  status: () => Promise<z.infer<typeof statusShape>>,
): Promise<z.infer<typeof statusShape>> {
  const startedAt = performance.now();
  for (;;) {
    const now = await status();
    if (now.count >= records || performance.now() - startedAt > limitMs) return now;
    await delay(250);
  }
}
