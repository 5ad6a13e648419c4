import { verify } from '../src/trail/verify.ts';
import { buildWorker } from './compile.ts';
import { quietNamespaces, type Flood } from './flood.ts';
import type { Environment, Lab } from './lab.ts';
import { containerMiB, heapFlag } from './memory.ts';
import type { Row } from './table.ts';
import { bucketOf, settleAgeSeconds } from './traffic.ts';
import { BenchWorker } from './worker.ts';

const ringSeconds = 3_000;
const limitMs = 60 * 60_000;
const mib = 1024 * 1024;

interface Stored {
  settled: number;
  gaps: number;
  incomplete: number;
  records: number;
  facts: number;
  groups: number;
  ledger: number;
  rest: number;
  exactQuiet: number;
}

/** Measures the whole worker with a heap of 256 MB while it catches up with a port scan that lasts an hour. */
export function scanSection(lab: Lab, print: (line: string) => void): Promise<Row[]> {
  // Four pods try almost every port, which is possible within 15 s.
  return floodRows('scan', lab, { flood: { kind: 'ports', records: 230_000 }, settings: {} }, print);
}

/** The same with pods that have a new service identity in each bucket, of one namespace and of 500. */
export async function identitiesSection(lab: Lab, print: (line: string) => void): Promise<Row[]> {
  const rows: Row[] = [];
  for (const namespaces of [1, 500]) {
    const flood = { kind: 'identities', records: 50_000, namespaces } as const;
    const settings = { SERVICE_IDENTITY_NAMESPACES: '*' };
    rows.push(...(await floodRows(`identities of ${namespaces}`, lab, { flood, settings }, print)));
  }
  return rows;
}

async function floodRows(
  section: string,
  lab: Lab,
  { flood, settings }: { flood: Flood; settings: Environment },
  print: (line: string) => void,
): Promise<Row[]> {
  await buildWorker();
  const goldmane = await lab.floodedGoldmane(flood);
  const now = Date.now() / 1000;
  const fromSeconds = bucketOf(now - ringSeconds);
  const toSeconds = bucketOf(now - settleAgeSeconds);
  const buckets = (toSeconds - fromSeconds) / 15;
  print(
    `${section}: the worker settles ${buckets} buckets of ${flood.records.toLocaleString('en-US')} records`,
  );
  const worker = await BenchWorker.startWith(lab, goldmane, settings, heapFlag);
  const startedAt = performance.now();
  await worker.untilSettled(fromSeconds, toSeconds, limitMs);
  const seconds = (performance.now() - startedAt) / 1000;
  const peak = await worker.peakMiB();
  const live = await worker.liveMiB();
  await worker.end();
  const stored = await readStored(worker);
  const differences = await verify(worker.database.database);
  await goldmane.stop();
  const perBucket = flood.records + (flood.kind === 'identities' ? quietNamespaces : 0);
  const quiet: Row[] =
    flood.kind === 'ports'
      ? []
      : [
          {
            section,
            what: 'quiet namespaces with every record, identity and trace',
            value: stored.exactQuiet / quietNamespaces,
            unit: 'x',
            limit: { atLeast: 1 },
          },
        ];
  return [
    { section, what: 'peak', value: peak, unit: 'MiB', limit: { atMost: containerMiB } },
    { section, what: 'live after a garbage collection', value: live, unit: 'MiB', note: 'main thread' },
    {
      section,
      what: 'seconds for a bucket of 15 s',
      value: seconds / buckets,
      unit: 's',
      limit: { atMost: 15 },
      note: `${stored.settled} settled, ${stored.gaps} gaps, ${stored.incomplete} incomplete`,
    },
    {
      section,
      what: 'records counted, relative to the settled buckets’ records',
      value: stored.records / (stored.settled * perBucket),
      unit: 'x',
      note: `${stored.records.toLocaleString('en-US')} records in ${stored.facts} facts of ${stored.groups} groups`,
    },
    ...quiet,
    {
      section,
      what: 'rules that verify finds violated',
      value: differences.length,
      unit: '',
      limit: { atMost: 0 },
      note: differences.map(({ rule, examples }) => `${rule}: ${examples.join(', ')}`).join('; '),
    },
    { section, what: 'ledger, per settled bucket', value: stored.ledger / mib / stored.settled, unit: 'MiB' },
    { section, what: 'database without the ledger', value: stored.rest / mib, unit: 'MiB' },
  ];
}

async function readStored({ database }: BenchWorker): Promise<Stored> {
  const [stored] = await database.database.query<Stored>(
    `select (select count(*) from bucket_ledger where settled_at is not null)::int as settled,
       (select count(*) from bucket_ledger where gap_cause is not null)::int as gaps,
       (select count(*) from bucket_ledger where refused_records > 0)::int as incomplete,
       (select coalesce(sum(flow_count), 0) from edge)::float8 as records,
       (select count(*) from flow_fact)::int as facts,
       (select count(*) from flow_group)::int as groups,
       pg_total_relation_size('bucket_ledger')::float8 as ledger,
       (pg_database_size(current_database()) - pg_total_relation_size('bucket_ledger'))::float8 as rest,
       (select count(*) from (
          select src_ns from flow_group g join flow_fact f using (group_id) join flow_fact_day d using (fact_id)
          where src_ns like 'quiet-%' group by 1
          having sum(d.flow_count) = (select count(*) from bucket_ledger where settled_at is not null)
            and bool_and(src_identity = 'backend' and port = 5432 and cardinality(f.traces) = 1)) q)::int as "exactQuiet"`,
  );
  if (!stored) throw new Error('the database did not respond');
  return stored;
}
