import { randomUUID } from 'node:crypto';
import { Connection, type Client } from '@temporalio/client';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, inject, onTestFinished, test, vi } from 'vitest';
import { loadConfig } from '../../src/config/config.ts';
import { supervisorWorkflowType, trailNames, trailIdField } from '../../src/config/temporal-names.ts';
import { outputSchemas } from '../../src/cli/schemas/index.ts';
import { readTrailId } from '../../src/trail/database/trail-id.ts';
import { ensureSchedules } from '../../src/worker/schedules.ts';
import { flowTrailInProcess } from '../support/cli-in-process.ts';
import { databasePerFile } from '../support/database.ts';
import { createNamespaceClient } from '../support/namespace-client.ts';
import { until } from '../support/poll.ts';

const namespace = `retire-${process.pid}`;
let connection: Connection;
let client: Client;
const db = databasePerFile();

beforeAll(async () => {
  connection = await Connection.connect({ address: inject('temporalAddress') });
  client = await createNamespaceClient(connection, namespace);
});
afterAll(() => connection.close());

/** What the workers of a trail leave when they stop. */
async function leave(cluster: string, trailId: string, queue?: string): Promise<void> {
  const names = trailNames(cluster);
  const taskQueue = queue ?? names.taskQueue;
  await client.workflow.start(supervisorWorkflowType, {
    workflowId: names.supervisorId,
    taskQueue,
    memo: { [trailIdField]: trailId },
  });
  const config = loadConfig({ DATABASE_URL: db.url, CLUSTER_NAME: cluster, TEMPORAL_TASK_QUEUE: taskQueue });
  await ensureSchedules(client, config, trailId, pino({ level: 'silent' }));
}

async function retire(
  cluster: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = { DATABASE_URL: db.url },
) {
  const { code, out, err } = await flowTrailInProcess(['retire', '--json', ...args], {
    ...env,
    CLUSTER_NAME: cluster,
    TEMPORAL_ADDRESS: inject('temporalAddress'),
    TEMPORAL_NAMESPACE: namespace,
  });
  return { code, err, ids: code === 0 ? idsOf(out) : [] };
}

function idsOf(out: string): string[] {
  return outputSchemas.retire.schema.parse(JSON.parse(out)).removed.map(({ id }) => id);
}

test('retire shows and removes supervisor and schedules of one cluster, and nothing of another cluster or database', async () => {
  const trailId = await readTrailId(db.database.query);
  const lost = randomUUID();
  for (const [cluster, id] of [
    ['', trailId],
    ['north', trailId],
    ['lost', lost],
  ] as const)
    await leave(cluster, id);
  const { supervisorId, scheduleIds } = trailNames('north');
  const all = [supervisorId, ...Object.values(scheduleIds)].toSorted();

  expect((await retire('north', [])).ids.toSorted()).toEqual(all);
  expect((await retire('north', ['--apply'])).ids.toSorted()).toEqual(all);
  expect((await client.workflow.getHandle(supervisorId).describe()).status.name).toBe('TERMINATED');
  expect(await retire('north', ['--apply'])).toMatchObject({ code: 0, ids: [] });

  // Without a name: only the names without one, not those of all clusters.
  expect((await retire('', ['--apply'])).ids).not.toContain(trailNames('lost').supervisorId);

  expect(await retire('lost', ['--apply'])).toMatchObject({ code: 1 });
  expect(await retire('lost', ['--apply'], {})).toMatchObject({ code: 2 });
  expect(await retire('lost', ['--apply', '--trail-id', randomUUID()], {})).toMatchObject({ code: 1 });
  expect((await retire('lost', ['--apply', '--trail-id', lost], {})).ids).toHaveLength(all.length);
});

test.each([
  ['the task queue', undefined],
  ['a task queue of its own, which the command is not told', 'own-queue'],
])('retire refuses while a worker polls %s', async (_title, queue) => {
  const cluster = `busy-${queue ?? 'default'}`;
  await leave(cluster, await readTrailId(db.database.query), queue);
  const { taskQueue, supervisorId } = trailNames(cluster);
  const polling = client.withDeadline(Date.now() + 60_000, () =>
    client.workflowService.pollWorkflowTaskQueue({
      namespace,
      taskQueue: { name: queue ?? taskQueue },
      identity: 'a worker',
    }),
  );
  await until('the poll is known', async () => {
    const { code } = await retire(cluster, []);
    return code === 1 ? true : undefined;
  });
  await polling;
  expect(await retire(cluster, ['--apply'])).toMatchObject({ code: 1 });
  // Also on a machine whose clock is wrong.
  const now = Date.now.bind(Date);
  const clock = vi.spyOn(Date, 'now').mockImplementation(() => now() + 300_000);
  onTestFinished(() => clock.mockRestore());
  expect(await retire(cluster, ['--apply'])).toMatchObject({ code: 1 });
  clock.mockRestore();
  expect((await client.workflow.getHandle(supervisorId).describe()).status.name).toBe('RUNNING');
});

test('retire removes what a renamed cluster left under its former name', async () => {
  const { query } = db.database;
  await leave('former', await readTrailId(query));
  await query('update trail_state set supervisor = $1', [trailNames('renamed').supervisorId]);
  expect((await retire('former', ['--apply'])).ids).toContain(trailNames('former').supervisorId);
});
