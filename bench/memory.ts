import { setTimeout as delay } from 'node:timers/promises';
import { buildWorker } from './compile.ts';
import type { Lab } from './lab.ts';
import type { Row } from './table.ts';
import { bucketOf, userRecords, settleAgeSeconds } from './traffic.ts';
import { BenchWorker } from './worker.ts';

interface Size {
  /** Records per bucket of the ring. */
  records: number;
  /** Length of the filled part of the ring. */
  ringSeconds: number;
  /** Records per streamed bucket. */
  follow: number;
  limitMiB: number;
}

/** As in a container with 512 MiB: Node uses half of it for the heap. */
export const heapFlag = '--max-old-space-size=256';
export const containerMiB = 512;

/**
 * The larger sizes fill only a part of the ring, because a full one would take the stand-in several GiB, and the worker
 * holds only a few buckets at a time. The two largest are single scans; the stream continues at the usual size.
 */
const sizes: readonly Size[] = [
  { records: userRecords, ringSeconds: 3_600, follow: userRecords, limitMiB: mibOf(250) },
  { records: 10_000, ringSeconds: 15 * 60, follow: 10_000, limitMiB: mibOf(400) },
  { records: 100_000, ringSeconds: 7.5 * 60, follow: userRecords, limitMiB: containerMiB },
  { records: 250_000, ringSeconds: 7 * 60, follow: userRecords, limitMiB: containerMiB },
];
/** Four buckets, and a merge of streamed records. */
const streamSeconds = 75;
const section = 'memory';

/** Limits are in megabytes, the kernel's figures in mebibytes. */
function mibOf(megabytes: number): number {
  return (megabytes * 1_000_000) / (1024 * 1024);
}

/** Measures the peak resident memory of the whole worker while it catches up with a ring and follows the stream. */
export async function memorySection(lab: Lab, print: (line: string) => void): Promise<Row[]> {
  await buildWorker();
  const rows: Row[] = [];
  for (const size of sizes) rows.push(...(await peakOf(size, lab, print)));
  return rows;
}

async function peakOf(
  { records, ringSeconds, follow, limitMiB }: Size,
  lab: Lab,
  print: (line: string) => void,
): Promise<Row[]> {
  const what = `${records.toLocaleString('en-US')} records per bucket`;
  const goldmane = await lab.goldmane();
  const now = Date.now() / 1000;
  const toSeconds = bucketOf(now - settleAgeSeconds);
  print(`memory: filling ${ringSeconds / 60} minutes, ${what}`);
  // The worker also settles younger buckets, which have the size of the stream.
  await goldmane.fill(records, now - ringSeconds, toSeconds);
  await goldmane.fill(follow, toSeconds, now);
  await goldmane.follow(follow);
  const worker = await BenchWorker.start(lab, goldmane, heapFlag);
  const fromSeconds = Math.max(bucketOf(now - ringSeconds) + 15, bucketOf(now - 3_000));
  print('memory: the worker catches up and streams');
  await worker.untilSettled(fromSeconds, toSeconds);
  await delay(streamSeconds * 1000);
  const [peak, anonymous, live, counted, outcome] = [
    await worker.peakMiB(),
    worker.peakAnonymousMiB(),
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
      what: `peak without mapped files, ${what}`,
      value: anonymous,
      unit: 'MiB',
      note: 'the part that the kernel cannot drop',
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
