import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import type { Lab } from './lab.ts';
import type { Row } from './table.ts';
import { burst } from './traffic.ts';
import { countsInEdge } from './naive-writer.ts';

const records = 100_000;
const outageMs = 60_000;
/** A stream that lags by a minute is replaced; a hold of this length is far from that, and from any time-out of gRPC's. */
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

/** 100,000 records for one bucket, while the database is stopped for a minute: all are taken, and written afterwards. */
export async function burstSection(lab: Lab, say: (line: string) => void): Promise<Row[]> {
  const goldmane = await lab.goldmane();
  const { url, database } = await lab.database();
  const reader = await lab.process('readers.js', 'a reader');
  const status = () => reader.ask(statusShape, 'burst');
  await reader.ask(z.unknown(), 'startBurst', {
    env: { ...goldmane.env, DATABASE_URL: url, LOG_LEVEL: 'error' },
  });

  say(`burst: the database is stopped for ${outageMs / 1000} s, and ${records} records come`);
  await lab.postgres.stop();
  const stoppedAt = performance.now();
  await goldmane.burst(records);
  const arrived = await untilLast(status);
  await delay(Math.max(0, outageMs - (performance.now() - stoppedAt)));
  const { pending } = await status();
  await lab.postgres.start();

  const expected = burst(records, 0).filter(countsInEdge).length;
  say(`burst: the database is back; ${pending} records wait`);
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
      what: 'records taken, of those sent',
      value: arrived.count / records,
      unit: 'x',
      limit: { atLeast: 1 },
      note: `${arrived.count.toLocaleString('en-US')} in ${arrived.seconds.toFixed(1)} s, ${summary.leftOut['dropped'] ?? 0} dropped`,
    },
    {
      section,
      what: 'records counted in edges, of those that count',
      value: merged / expected,
      unit: 'x',
      limit: { atLeast: 1 },
      note: `${merged.toLocaleString('en-US')} of ${expected.toLocaleString('en-US')}`,
    },
    {
      section,
      what: 'connections that it took',
      value: summary.connections,
      unit: '',
      limit: { atMost: 1 },
    },
    {
      section,
      what: 'longest time the reader did not read',
      value: arrived.longestHoldMs,
      unit: 'ms',
      limit: { atMost: holdLimitMs },
      note: `its event loop; between two records at most ${Math.round(arrived.longestGapMs)} ms`,
    },
    { section, what: 'waiting when the database came back', value: pending, unit: 'records' },
    { section, what: 'until all was written', value: secondsToWrite, unit: 's' },
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
