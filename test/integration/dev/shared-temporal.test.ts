import { join } from 'node:path';
import { Client, Connection, ScheduleNotFoundError } from '@temporalio/client';
import { afterEach, beforeEach, expect, inject, test, vi } from 'vitest';
import { ownClusterName, removeTrail } from '../../../dev/temporal/shared.ts';
import {
  exportWorkflowType,
  jobs,
  supervisorWorkflowType,
  trailNames,
} from '../../../src/config/temporal-names.ts';
import { folderOfTest } from '../../support/folder.ts';

let folder: string;
let client: Client;

beforeEach(async () => {
  folder = await folderOfTest();
  const address = inject('temporalAddress');
  client = new Client({ connection: await Connection.connect({ address }) });
  vi.stubEnv('TEMPORAL_ADDRESS', address);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await client.connection.close();
});

/** Creates both supervisors and a schedule with the names of a cluster, without a worker. */
async function install(clusterName: string): Promise<void> {
  const { supervisorId, exportId, scheduleIds, taskQueue } = trailNames(clusterName);
  await client.workflow.start(supervisorWorkflowType, { workflowId: supervisorId, taskQueue, args: [] });
  await client.workflow.start(exportWorkflowType, { workflowId: exportId, taskQueue, args: [] });
  await client.schedule.create({
    scheduleId: scheduleIds.digest,
    spec: { cronExpressions: ['0 0 1 1 *'] },
    action: { type: 'startWorkflow', workflowType: jobs.digest.workflowType, taskQueue, args: [] },
  });
}

const stateOf = async (clusterName: string) => {
  const { supervisorId, exportId, scheduleIds } = trailNames(clusterName);
  const states = await Promise.all(
    [supervisorId, exportId].map((id) => client.workflow.getHandle(id).describe()),
  );
  const schedule = await client.schedule
    .getHandle(scheduleIds.digest)
    .describe()
    .then(
      () => true,
      (error: unknown) => {
        if (error instanceof ScheduleNotFoundError) return false;
        throw error;
      },
    );
  return [...states.map(({ status }) => status.name), schedule];
};

test('npm start with an external Temporal uses its own names, the same at each start, and removes only these', async () => {
  const name = await ownClusterName(join(folder, 'cluster-name'));
  expect(name).toMatch(/^local-[0-9a-f]{8}$/);
  expect(await ownClusterName(join(folder, 'cluster-name'))).toBe(name);
  const other = await ownClusterName(join(folder, 'another'));
  expect(other).not.toBe(name);
  await install(name);
  await install(other);
  await removeTrail(name);
  expect(await stateOf(name)).toEqual(['TERMINATED', 'TERMINATED', false]);
  expect(await stateOf(other)).toEqual(['RUNNING', 'RUNNING', true]);
  await removeTrail(other);
  // A missing trail is not an error: the worker may never have started.
  await removeTrail(other);
});
