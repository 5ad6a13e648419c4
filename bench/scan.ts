import { buildWorker } from './compile.ts';
import type { Lab } from './lab.ts';
import { containerMiB, heapFlag } from './memory.ts';
import type { Row } from './table.ts';
import { bucketOf, settleAgeSeconds } from './traffic.ts';
import { BenchWorker } from './worker.ts';

const section = 'scan';
/** Records per bucket: four pods try almost every port, which is possible within 15 s. */
const records = 230_000;
const ringSeconds = 3_000;
const limitMs = 60 * 60_000;
const mib = 1024 * 1024;

/** Measures the whole worker with a heap of 256 MB while it catches up with a port scan that lasts an hour. */
export async function scanSection(lab: Lab, print: (line: string) => void): Promise<Row[]> {
  await buildWorker();
  const goldmane = await lab.scannedGoldmane(records);
  const now = Date.now() / 1000;
  const fromSeconds = bucketOf(now - ringSeconds);
  const toSeconds = bucketOf(now - settleAgeSeconds);
  const buckets = (toSeconds - fromSeconds) / 15;
  print(`scan: the worker settles ${buckets} buckets of ${records.toLocaleString('en-US')} records`);
  const worker = await BenchWorker.start(lab, goldmane, heapFlag);
  const startedAt = performance.now();
  await worker.untilSettled(fromSeconds, toSeconds, limitMs);
  const seconds = (performance.now() - startedAt) / 1000;
  const peak = await worker.peakMiB();
  const live = await worker.liveMiB();
  const [stored] = await worker.database.database.query<{
    settled: number;
    gaps: number;
    records: number;
    facts: number;
    ledger: number;
    rest: number;
  }>(
    `select (select count(*) from bucket_ledger where settled_at is not null)::int as settled,
       (select count(*) from bucket_ledger where gap_cause is not null)::int as gaps,
       (select coalesce(sum(flow_count), 0) from edge)::float8 as records,
       (select count(*) from flow_fact)::int as facts,
       pg_total_relation_size('bucket_ledger')::float8 as ledger,
       (pg_database_size(current_database()) - pg_total_relation_size('bucket_ledger'))::float8 as rest`,
  );
  await worker.stop();
  await goldmane.stop();
  if (!stored) throw new Error('the database did not respond');
  return [
    { section, what: 'peak', value: peak, unit: 'MiB', limit: { atMost: containerMiB } },
    { section, what: 'live after a garbage collection', value: live, unit: 'MiB', note: 'main thread' },
    {
      section,
      what: 'seconds for a bucket of 15 s',
      value: seconds / buckets,
      unit: 's',
      limit: { atMost: 15 },
      note: `${stored.settled} settled, ${stored.gaps} gaps`,
    },
    {
      section,
      what: 'records counted, relative to the settled buckets’ records',
      value: stored.records / (stored.settled * records),
      unit: 'x',
      note: `${stored.records.toLocaleString('en-US')} records in ${stored.facts} facts`,
    },
    { section, what: 'ledger, per settled bucket', value: stored.ledger / mib / stored.settled, unit: 'MiB' },
    { section, what: 'database without the ledger', value: stored.rest / mib, unit: 'MiB' },
  ];
}
