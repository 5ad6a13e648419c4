import { expect } from 'vitest';
import pg from 'pg';
import { z } from 'zod';
import { supervisorWorkflowId } from '../../src/config/temporal-names.ts';
import type { CoverageStretch } from '../../src/trail/coverage-ranges/coverage.ts';
import { readLedger, type LedgerBucket } from '../../src/trail/merge/ledger.ts';
import { until } from './poll.ts';
import { parsedJson, type WorkerProcess } from './worker-process.ts';
import type { World } from './world.ts';

/** The expected result of a fault without lasting effect: everything settled, no gap, and exactly the generated rows. */
export async function expectComplete(world: World, limitMs?: number): Promise<void> {
  await world.traffic.stop();
  const coverage = await world.untilSettled(world.traffic.toSeconds, limitMs);
  // First: a gap explains missing edges.
  expect(coverage.filter(isGap)).toEqual([]);
  await world.expectExactly();
}

export function isGap({ state }: CoverageStretch): boolean {
  return state === 'gap';
}

/** The sum of a metric over its series with these labels. */
export async function metric(
  worker: WorkerProcess,
  name: string,
  labels: Record<string, string> = {},
): Promise<number> {
  const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  const lines = await worker.metrics(name);
  return lines
    .filter((line) => /^[{ ]/.test(line.slice(name.length)) && wanted.every((text) => line.includes(text)))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}

export interface RunningAttempt {
  activity: string;
  attempt: number;
  /** Identity of its worker: process id, `@`, host. */
  worker: string;
  lastFailure: string;
}

/** The supervisor's pending activities: running or waiting for a retry. */
export function attempts(world: World): Promise<RunningAttempt[]> {
  return world.temporal(async (client) => {
    const { raw } = await client.workflow.getHandle(supervisorWorkflowId).describe();
    return (raw.pendingActivities ?? []).map(
      ({ activityType, attempt, lastFailure, lastWorkerIdentity }) => ({
        activity: activityType?.name ?? '',
        attempt: attempt ?? 0,
        worker: lastWorkerIdentity ?? '',
        lastFailure: lastFailure?.message ?? '',
      }),
    );
  });
}

/** Waits until both readers run in this worker, with this attempt number or a higher one. */
export function untilReadBy(worker: WorkerProcess, world: World, attempt = 1): Promise<RunningAttempt[]> {
  return until(`worker ${worker.process.pid} has both activities`, async () => {
    const running = await attempts(world);
    const isHis = running.every(
      (one) => one.worker.startsWith(`${worker.process.pid}@`) && one.attempt >= attempt,
    );
    return running.length === 2 && isHis ? running : undefined;
  });
}

/** Waits until the worker follows the stream and merges its records. */
export async function untilStreaming(worker: WorkerProcess, world: World): Promise<void> {
  await untilLogged(worker, 'The stream is open');
  await untilMerged(world, bucketNow(world));
}

export function untilLogged(worker: WorkerProcess, text: string | RegExp): Promise<string> {
  const matches = (line: string) => (typeof text === 'string' ? line.includes(text) : text.test(line));
  return until(`the worker logs ${String(text)}`, () => worker.messages().find(matches));
}

const loggedFailure = z.object({ kind: z.string(), reason: z.string() });

/** The messages of logged failures of this kind that contain all these values. */
export function failuresIn({ lines }: WorkerProcess, kind: string, values: readonly string[] = []): string[] {
  return lines.flatMap((line) => {
    const { data } = loggedFailure.safeParse(parsedJson(line));
    return data?.kind === kind && values.every((value) => data.reason.includes(value)) ? [data.reason] : [];
  });
}

/** Waits until such a failure is logged. */
export async function untilFailure(
  worker: WorkerProcess,
  kind: string,
  values: readonly string[] = [],
): Promise<void> {
  await until(`the worker logs a failure of the kind ${kind} ${values.join(' ')}`, () =>
    failuresIn(worker, kind, values).length > 0 ? true : undefined,
  );
}

/** Start of the bucket being filled. */
export function bucketNow(world: World): number {
  return Math.floor(world.nowSeconds() / 15) * 15;
}

/** Waits until the trail has merged a record of this bucket. */
export function untilMerged(world: World, startSeconds: number): Promise<LedgerBucket> {
  return until(`the bucket of ${new Date(startSeconds * 1000).toISOString()} is merged`, async () => {
    const [bucket] = await readLedger(world.db.database.query, startSeconds);
    return bucket?.startSeconds === startSeconds && bucket.hasRecords ? bucket : undefined;
  });
}

/** A separate session in the world's database. */
export async function openSession(url: string): Promise<pg.Client> {
  const session = new pg.Client({ connectionString: url });
  session.on('error', () => undefined);
  await session.connect();
  return session;
}

/** Process ids of sessions in the world's database that wait for a lock in a statement with this beginning. */
export async function waitingForLock(world: World, statement: string): Promise<number[]> {
  const rows = await world.db.database.query<{ pid: number }>(
    `select pid from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'
     and query like $1 || '%'`,
    [statement],
  );
  return rows.map(({ pid }) => pid);
}
