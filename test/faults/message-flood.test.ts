import { readFile } from 'node:fs/promises';
import { beforeEach, expect } from 'vitest';
import type { Postgres } from '../../dev/postgres/server.ts';
import { readEdges, readUnexplainedEdges } from '../support/database.ts';
import { metric, untilLogged } from '../support/faults.ts';
import { until } from '../support/poll.ts';
import { readPlace, untilFailureShown, untilConnected } from '../support/failure-places.ts';
import { createWorld, type World } from '../support/world.ts';
import { fullTest } from '../support/full.ts';
import { postgresOfTest } from '../support/servers-of-test.ts';

const mayWait = 200_000;
const burst = 55_000;
const bursts = 4;
/** Node's heap limit in a container with the Deployment's memory limit of 512 MiB. */
const heapLimit = '--max-old-space-size=256';
const containerMiB = 512;

let postgres: Postgres;
let world: World;
beforeEach(async () => {
  postgres = await postgresOfTest();
  // Slow enough for the stand-in to send each burst before the next one, and before the stream counts as lagging.
  world = await createWorld({ speed: 10, postgresUrl: postgres.url });
});

/** Peak memory of the process, MiB. Source: proc(5). */
async function peakMemoryMiB(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024;
}

fullTest(
  'records beyond the limit of those waiting for the database are dropped and reported, in bounded memory, and settling adds them later',
  async () => {
    world.traffic.start(world.goldmane);
    const worker = await world.startWorker({ NODE_OPTIONS: heapLimit });
    await untilConnected(world);
    await until('the database receives records', async () =>
      (await metric(worker, 'flow_trail_merges_total')) > 0 ? true : undefined,
    );
    await postgres.stop();
    const before = await metric(worker, 'flow_trail_records_total', { reader: 'stream' });
    for (let number = 1; number <= bursts; number += 1) {
      const startSeconds = Math.floor(world.nowSeconds() / 15) * 15;
      world.goldmane.ingest(
        Array.from({ length: burst }, (_, n) => ({
          startSeconds,
          srcName: `pod-${number}-${n}-*`,
          srcNamespace: `flood-${n % 7}`,
          dstNamespace: 'store-0',
        })),
      );
      await until(`burst ${number} is streamed`, async () => {
        const streamed = await metric(worker, 'flow_trail_records_total', { reader: 'stream' });
        return streamed - before > number * burst ? true : undefined;
      });
    }
    await untilLogged(
      worker,
      'Too many streamed records are waiting for the database; further records are dropped, and settling reads them later',
    );
    await untilFailureShown(world, worker, 'connection_refused', { where: ['attempts'] });
    await until('the attempt shows that records are dropped', async () =>
      (await readPlace(world, worker, 'attempts')).includes('dropped') ? true : undefined,
    );
    const dropped = await metric(worker, 'flow_trail_records_left_out_total', { reason: 'dropped' });
    expect(dropped).toBeGreaterThanOrEqual(bursts * burst - mayWait);
    expect(await metric(worker, 'flow_trail_pending_records')).toBeLessThanOrEqual(mayWait);

    await postgres.start();
    await world.traffic.stop();
    const coverage = await world.untilSettled(world.traffic.toSeconds, 150_000);
    expect(coverage.filter(({ state }) => state === 'gap')).toEqual([]);
    const rows = await readEdges(world.db.database);
    const flood = rows.filter(({ src_ns }) => src_ns.startsWith('flood-'));
    expect(rows.filter((row) => !flood.includes(row))).toEqual(world.traffic.expectedEdges());
    expect(flood.reduce((sum, { flow_count }) => sum + flow_count, 0)).toBe(bursts * burst);
    expect(await readUnexplainedEdges(world.db.database)).toEqual([]);
    expect(worker.process.hasExited()).toBe(false);
    expect(await peakMemoryMiB(worker.process.pid)).toBeLessThan(containerMiB);
  },
  300_000,
);
