import { randomUUID } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { loadConfig } from '../../src/config/config.ts';
import { supervisorWorkflowType, trailNames, trailIdField } from '../../src/config/names.ts';
import { outputSchemas } from '../../src/cli/schemas/index.ts';
import { readTrailId } from '../../src/trail/trail-id.ts';
import { ensureSchedules } from '../../src/worker/schedules.ts';
import { flowTrailInProcess } from '../support/cli-in-process.ts';
import { databasePerFile } from '../support/database.ts';
import { until } from '../support/poll.ts';

const namespace = `retire-${process.pid}`;
let connection: Connection;
let client: Client;
const db = databasePerFile();

beforeAll(async () => {
  connection = await Connection.connect({ address: inject('temporalAddress') });
  await connection.workflowService.registerNamespace({
    namespace,
    workflowExecutionRetentionPeriod: msToTs('1 day'),
  });
  client = new Client({ connection, namespace });
  await until('the namespace is usable', () =>
    client.schedule
      .getHandle('none')
      .describe()
      .catch((error: unknown) => (/not found/i.test(String(error)) ? true : undefined)),
  );
});
afterAll(() => connection.close());

/** What the workers of a trail leave when they stop. */
async function leave(cluster: string, trailId: string): Promise<void> {
  const names = trailNames(cluster);
  await client.workflow.start(supervisorWorkflowType, {
    workflowId: names.supervisorId,
    taskQueue: names.taskQueue,
    memo: { [trailIdField]: trailId },
  });
  const config = loadConfig({ DATABASE_URL: db.url, CLUSTER_NAME: cluster });
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

test('retire refuses while a worker polls the task queue', async () => {
  await leave('busy', await readTrailId(db.database.query));
  const { taskQueue, supervisorId } = trailNames('busy');
  const polling = client.withDeadline(Date.now() + 60_000, () =>
    client.workflowService.pollWorkflowTaskQueue({
      namespace,
      taskQueue: { name: taskQueue },
      identity: 'a worker',
    }),
  );
  await until('the poll is known', async () => {
    const { code } = await retire('busy', []);
    return code === 1 ? true : undefined;
  });
  await polling;
  expect(await retire('busy', ['--apply'])).toMatchObject({ code: 1 });
  expect((await client.workflow.getHandle(supervisorId).describe()).status.name).toBe('RUNNING');
});
