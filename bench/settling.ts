import { z } from 'zod';
import type { Lab } from './lab.ts';
import { median, type Row } from './table.ts';
import { bucketOf, userRecords, settleAgeSeconds } from './traffic.ts';

const outageSeconds = 48 * 60;

const settled = z.object({
  seconds: z.number(),
  listingSeconds: z.number(),
  sleptSeconds: z.number(),
  cpuMs: z.number(),
  listMs: z.array(z.number()),
  summary: z.object({
    records: z.number(),
    factRecords: z.number(),
    lists: z.number(),
    bucketsSettled: z.number(),
    bucketsFinal: z.number(),
    gaps: z.array(z.unknown()),
  }),
});

/**
 * Measures catching up after an outage of 48 minutes: every bucket that no longer changes is listed and merged. The
 * time includes the wait for a measurement of Goldmane's clock by the stream, which times out because no stream runs.
 */
export async function settlingSection(lab: Lab, print: (line: string) => void): Promise<Row[]> {
  const goldmane = await lab.goldmane();
  const now = Date.now() / 1000;
  print(`settling: filling the ring, ${userRecords} records per bucket`);
  await goldmane.fill(userRecords, now - 3_600, now);
  const before = await goldmane.stats();
  const { url } = await lab.database();
  const child = await lab.process('readers.js', 'a reader');
  const toSeconds = bucketOf(Date.now() / 1000 - settleAgeSeconds);
  const result = await child.ask(settled, 'settle', {
    env: { ...goldmane.env, DATABASE_URL: url, LOG_LEVEL: 'warn' },
    fromSeconds: toSeconds - outageSeconds,
    toSeconds,
  });
  const after = await goldmane.stats();
  await Promise.all([child.stop(), goldmane.stop()]);
  const { seconds, listingSeconds, sleptSeconds, cpuMs, listMs, summary } = result;
  const lists = after.lists - before.lists;
  const serverMs = after.listMsTotal - before.listMsTotal;
  const section = 'settling';
  return [
    {
      section,
      what: 'outage of 48 minutes caught up',
      value: seconds,
      unit: 's',
      limit: { atMost: 180 },
      note: `${summary.lists} lists, ${summary.records.toLocaleString('en-US')} records; listing took ${listingSeconds.toFixed(0)} s, after determining the clock`,
    },
    {
      section,
      what: "fraction of the listing time in which the server's loop was busy",
      value: serverMs / 1000 / listingSeconds,
      unit: 'x',
      limit: { atMost: 0.5 },
    },
    { section, what: 'List of a bucket, in the server', value: serverMs / lists, unit: 'ms', note: 'mean' },
    {
      section,
      what: 'List of a bucket, as seen by the reader',
      value: median(listMs),
      unit: 'ms',
      note: 'median',
    },
    {
      section,
      what: 'List of a bucket, as seen by the reader, maximum',
      value: Math.max(...listMs),
      unit: 'ms',
    },
    {
      section,
      what: 'records per second, excluding waits',
      value: summary.records / (seconds - sleptSeconds),
      unit: '/s',
    },
    {
      section,
      what: 'CPU per record: listing, folding, merging',
      value: (cpuMs * 1000) / summary.records,
      unit: 'us',
    },
  ];
}
