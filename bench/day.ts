import { setTimeout as delay } from 'node:timers/promises';
import { daySeconds, hourSeconds } from '../src/time/units.ts';
import { buildWorker } from './compile.ts';
import type { Lab } from './lab.ts';
import type { Row } from './table.ts';
import { bucketOf, userRecords, settleAgeSeconds } from './traffic.ts';
import { BenchWorker } from './worker.ts';
/** Speed of the clock of stand-in and worker. */
const speed = 120;
/** After this time the ring is full, and all keys that recur within an hour were seen. */
const warmUpSeconds = 2 * hourSeconds;
const rounds = 10;
/** The part of the ring that is settled again in each round. */
const roundSeconds = 1_200;
const section = 'day';

/**
 * Checks for memory leaks: live memory of the worker's main thread after a garbage collection, before a day of traffic,
 * after it, and after the same ring was settled ten times.
 */
export async function daySection(lab: Lab, print: (line: string) => void): Promise<Row[]> {
  await buildWorker();
  const nowMs = Date.now();
  const clockSeconds = () => (nowMs + (Date.now() - nowMs) * speed) / 1000;
  const until = async (seconds: number) => {
    while (clockSeconds() < seconds) {
      worker.throwIfEnded();
      await delay(500);
    }
  };
  const goldmane = await lab.goldmane({ realAnchorMs: nowMs, anchorMs: nowMs, speed });
  await goldmane.follow(userRecords);
  await goldmane.fill(userRecords, nowMs / 1000 - hourSeconds, nowMs / 1000);
  const worker = await BenchWorker.start(lab, goldmane);
  const warmAtSeconds = clockSeconds() + warmUpSeconds;
  print(`day: ${userRecords} records per bucket for a day, in ${daySeconds / speed / 60} minutes`);
  await until(warmAtSeconds);
  const [liveBefore, recordsBefore] = [await worker.liveMiB(), await worker.countedRecords()];
  await until(warmAtSeconds + daySeconds);
  const [liveAfterDay, recordsAfter] = [await worker.liveMiB(), await worker.countedRecords()];

  print(`day: settling ${roundSeconds / 60} minutes of the ring ${rounds} times`);
  for (let round = 0; round < rounds; round += 1) {
    const toSeconds = bucketOf(clockSeconds() - settleAgeSeconds);
    await worker.database.database.query('truncate bucket_ledger');
    await worker.untilSettled(toSeconds - roundSeconds, toSeconds);
  }
  const liveAfterRounds = await worker.liveMiB();
  await worker.stop();
  await goldmane.stop();
  return [
    {
      section,
      what: 'live memory after a day of traffic, relative to before',
      value: liveAfterDay / liveBefore,
      unit: 'x',
      limit: { atMost: 1.1 },
      note: `${liveBefore.toFixed(0)} to ${liveAfterDay.toFixed(0)} MiB; ${(recordsAfter - recordsBefore).toLocaleString('en-US')} records counted in edges`,
    },
    {
      section,
      what: `live memory after settling the ring ${rounds} times, relative to before`,
      value: liveAfterRounds / liveAfterDay,
      unit: 'x',
      limit: { atMost: 1.1 },
      note: `${liveAfterDay.toFixed(0)} to ${liveAfterRounds.toFixed(0)} MiB`,
    },
  ];
}
