import { setTimeout as delay } from 'node:timers/promises';
import { buildWorker } from './compile.ts';
import type { Lab } from './lab.ts';
import type { Row } from './table.ts';
import { bucketOf, userRecords } from './traffic.ts';
import { BenchWorker } from './worker.ts';

/** `ringSeconds`: how much of the hour before now holds buckets of that size. `follow`: records per bucket from now on. */
interface Size {
  records: number;
  ringSeconds: number;
  follow: number;
  limitMiB: number;
}

/** As in a container with 512 MiB: Node uses half of it for the heap. */
export const heapFlag = '--max-old-space-size=256';
export const containerMiB = 512;

/**
 * A whole ring of the larger sizes would be some GiB of the stand-in's; what the worker holds is a few buckets of it. The two largest
 * are single scans: the stream goes on at the usual size.
 */
const sizes: readonly Size[] = [
  { records: userRecords, ringSeconds: 3_600, follow: userRecords, limitMiB: mibOf(250) },
  { records: 10_000, ringSeconds: 15 * 60, follow: 10_000, limitMiB: mibOf(400) },
  { records: 100_000, ringSeconds: 7.5 * 60, follow: userRecords, limitMiB: containerMiB },
  { records: 250_000, ringSeconds: 7 * 60, follow: userRecords, limitMiB: containerMiB },
];
/** Four buckets, and a merge of streamed records. */
const streamSeconds = 75;
/** Younger buckets are not at rest yet. */
export const settleAgeSeconds = 6 * 60 + 30;
const section = 'memory';

/** Limits are in megabytes, the kernel counts in powers of two. */
function mibOf(megabytes: number): number {
  return (megabytes * 1_000_000) / (1024 * 1024);
}

/** The whole worker as production runs it: resident memory at most, while it catches up with a ring and streams. */
export async function memorySection(lab: Lab, say: (line: string) => void): Promise<Row[]> {
  await buildWorker();
  const rows: Row[] = [];
  for (const size of sizes) rows.push(...(await peakOf(size, lab, say)));
  return rows;
}

async function peakOf(
  { records, ringSeconds, follow, limitMiB }: Size,
  lab: Lab,
  say: (line: string) => void,
): Promise<Row[]> {
  const what = `${records.toLocaleString('en-US')} records per bucket`;
  const goldmane = await lab.goldmane();
  const now = Date.now() / 1000;
  const toSeconds = bucketOf(now - settleAgeSeconds);
  say(`memory: filling ${ringSeconds / 60} minutes, ${what}`);
  // Younger buckets are settled too while the worker runs; they are of the size that goes on.
  await goldmane.fill(records, now - ringSeconds, toSeconds);
  await goldmane.fill(follow, toSeconds, now);
  await goldmane.follow(follow);
  const worker = await BenchWorker.start(lab, goldmane, heapFlag);
  const fromSeconds = Math.max(bucketOf(now - ringSeconds) + 15, bucketOf(now - 3_000));
  say('memory: the worker catches up and streams');
  await worker.untilSettled(fromSeconds, toSeconds);
  await delay(streamSeconds * 1000);
  const [peak, live, counted, outcome] = [
    await worker.peakMiB(),
    await worker.liveMiB(),
    await worker.countedRecords(),
    await worker.outcome(fromSeconds, toSeconds),
  ];
  await worker.stop();
  await goldmane.stop();
  return [
    {
      section,
      what: `peak, ${what}`,
      value: peak,
      unit: 'MiB',
      limit: { atMost: limitMiB },
      note: `${counted.toLocaleString('en-US')} records counted in edges; buckets: ${outcome}`,
    },
    {
      section,
      what: `live after a garbage collection, ${what}`,
      value: live,
      unit: 'MiB',
      note: 'main thread',
    },
  ];
}
