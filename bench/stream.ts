import { dirname } from 'node:path';
import { z } from 'zod';
import { buildGoClient, type GoCount } from './go-client.ts';
import type { Environment, Lab } from './lab.ts';
import { median, type Row } from './table.ts';
import { bucketOf } from './traffic.ts';

const pairs = 3;
/** V8 still compiles hot code in the third read. */
const warmUps = 4;
/** The maximum: an older start returns nothing. */
const historySeconds = 3_540;
/** 236 buckets of this size have 170,000 records. */
const size = 720;

const counted = z.object({
  records: z.number(),
  seconds: z.number(),
  cpuMs: z.number(),
  cpuWithMergeMs: z.number(),
  peakMiB: z.number(),
  summary: z
    .object({ recordsMerged: z.number(), leftOut: z.record(z.string(), z.number()), merges: z.number() })
    .optional(),
});
type Counted = z.infer<typeof counted>;

/**
 * Measures our reader relative to a client that only counts raw messages of the same stream: both read the server's
 * history in turn, each time in a new process. Our figure includes decoding, identity, folding and merging.
 */
export async function streamSection(lab: Lab, print: (line: string) => void): Promise<Row[]> {
  const goldmane = await lab.goldmane();
  print(`stream: filling the ring, ${size} records per bucket`);
  const now = Date.now() / 1000;
  await goldmane.fill(size, now - 3_600, bucketOf(now) - 30);
  const rows = await measure(lab, await goldmane.replay(-historySeconds), 'stream', print);
  await goldmane.stop();
  return rows;
}

/** The same measurement with the ring of a real server. */
export async function realStreamSection(
  lab: Lab,
  env: Environment,
  print: (line: string) => void,
): Promise<Row[]> {
  return measure(lab, env, 'stream, real', print);
}

async function measure(
  lab: Lab,
  env: Environment,
  section: string,
  print: (line: string) => void,
): Promise<Row[]> {
  const counters: Counted[] = [];
  const readers: Counted[] = [];
  const goClients: GoCount[] = [];
  const goClient = await buildGoClient(dirname(lab.compiled('readers.js')));
  for (let pair = 0; pair < pairs; pair += 1) {
    counters.push(await run(lab, env, 'countHistory'));
    readers.push(await run(lab, env, 'readHistory'));
    if (typeof goClient !== 'string') goClients.push(await goClient(env, -historySeconds));
    const [counter, reader] = [counters.at(-1), readers.at(-1)];
    if (counter && reader)
      print(
        `${section}: ${reader.records} records; counting ${perRecord(counter)} us and ${rate(counter)}/s, reading ${perRecord(reader)} us and ${rate(reader)}/s`,
      );
  }
  const last = readers.at(-1);
  const records = median(readers.map((reader) => reader.records));
  const note = `${records.toLocaleString('en-US')} records, ${last?.summary?.recordsMerged ?? 0} merged`;
  return [
    {
      section,
      what: 'CPU per record, relative to counting raw messages',
      value: ratio(readers, counters, ({ cpuWithMergeMs, records }) => cpuWithMergeMs / records),
      unit: 'x',
      // Decoding, identity, fold and merge; both figures contain the cost of grpc-js.
      limit: { atMost: 1.8 },
      note,
    },
    {
      section,
      what: 'records per second, relative to counting raw messages',
      value: ratio(readers, counters, ({ records, seconds }) => records / seconds),
      unit: 'x',
      limit: { atLeast: 0.8 },
    },
    { section, what: 'CPU per record, counting', value: median(counters.map(perRecord)), unit: 'us' },
    {
      section,
      what: 'CPU per record, reading and merging',
      value: median(readers.map(perRecord)),
      unit: 'us',
    },
    { section, what: 'records per second, counting', value: median(counters.map(rate)), unit: '/s' },
    { section, what: 'records per second, reading', value: median(readers.map(rate)), unit: '/s' },
    ...comparisonWithGo(section, readers, typeof goClient === 'string' ? goClient : goClients),
  ];
}

/** Compares the cost of 100,000 records with that of a Go client that decodes three fields of each and counts. */
function comparisonWithGo(
  section: string,
  readers: readonly Counted[],
  goClients: readonly GoCount[] | string,
): Row[] {
  const [cpu, peak, speed] = [
    'CPU per 100,000 records',
    'peak memory after reading the history',
    'records per second',
  ] as const;
  const cpuOf = ({ cpuMs, records }: { cpuMs: number; records: number }) => (cpuMs / records) * 100;
  const ours = {
    cpu: median(readers.map(({ cpuWithMergeMs, records }) => cpuOf({ cpuMs: cpuWithMergeMs, records }))),
    peak: median(readers.map(({ peakMiB }) => peakMiB)),
  };
  const rows: Row[] = [
    { section, what: `${cpu}, reading and merging`, value: ours.cpu, unit: 's' },
    { section, what: `${peak}, reading and merging`, value: ours.peak, unit: 'MiB' },
  ];
  if (typeof goClients === 'string')
    return [
      ...rows,
      { section, what: 'a Go client that only counts', value: Number.NaN, unit: '', skipped: goClients },
    ];
  const theirs = {
    cpu: median(goClients.map(cpuOf)),
    peak: median(goClients.map(({ peakMiB }) => peakMiB)),
    speed: median(goClients.map(({ records, seconds }) => records / seconds)),
    records: median(goClients.map(({ records }) => records)),
  };
  return [
    ...rows,
    {
      section,
      what: `${cpu}, Go client that only counts`,
      value: theirs.cpu,
      unit: 's',
      note: `${theirs.records.toLocaleString('en-US')} records`,
    },
    { section, what: `${cpu}, relative to the Go client`, value: ours.cpu / theirs.cpu, unit: 'x' },
    { section, what: `${peak}, Go client that only counts`, value: theirs.peak, unit: 'MiB' },
    { section, what: `${speed}, Go client that only counts`, value: theirs.speed, unit: '/s' },
    {
      section,
      what: 'records read, relative to the Go client',
      value: median(readers.map(({ records }) => records)) / theirs.records,
      unit: 'x',
      limit: { atLeast: 1 },
    },
  ];
}

/** Measures the last of several reads in one process, because one-time costs such as compiling code are not costs per record. */
async function run(
  lab: Lab,
  serverEnv: Environment,
  method: 'countHistory' | 'readHistory',
): Promise<Counted> {
  const child = await lab.process('readers.js', 'a reader');
  const read = async (): Promise<Counted> => {
    const { url } = await lab.database();
    const env = { ...serverEnv, DATABASE_URL: url, LOG_LEVEL: 'warn' };
    return child.ask(counted, method, { env, fromSeconds: -historySeconds });
  };
  for (let done = 0; done < warmUps; done += 1) await read();
  const result = await read();
  await child.stop();
  return result;
}

/** The median ratio of neighbouring runs, because both runs of a pair saw similar machine load. */
function ratio(
  readers: readonly Counted[],
  counters: readonly Counted[],
  of: (run: Counted) => number,
): number {
  return median(
    readers.map((reader, index) => {
      const counter = counters[index];
      return counter ? of(reader) / of(counter) : Number.NaN;
    }),
  );
}

function perRecord({ cpuWithMergeMs, records }: Counted): number {
  return Math.round((cpuWithMergeMs * 10_000) / records) / 10;
}

function rate({ records, seconds }: Counted): number {
  return Math.round(records / seconds);
}
