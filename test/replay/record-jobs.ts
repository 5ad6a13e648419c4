/**
 * Records the histories that job-replay.test.ts replays: `npx tsx test/replay/record-jobs.ts [name...]`. It writes only
 * those of this version: run it after raising the version in package.json, and for new scenarios.
 */
import { Client, Connection } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import { jobScenarios, runScenario } from './job-scenarios.ts';
import { record } from './recorder.ts';

await record('jobs', jobScenarios, async ({ address, workflowBundle, wanted, save }) => {
  const native = await NativeConnection.connect({ address });
  const connection = await Connection.connect({ address });
  const client = new Client({ connection, identity: 'recorder' });
  for (const scenario of wanted) {
    const taskQueue = `recorded-${scenario.name}`;
    const worker = await Worker.create({
      connection: native,
      taskQueue,
      identity: 'recorder',
      workflowBundle,
      activities: scenario.activities,
    });
    await worker.runUntil(async () => save(scenario.name, await runScenario(client, taskQueue, scenario)));
  }
  await connection.close();
  await native.close();
});
