/**
 * Records the histories that export-replay.test.ts replays: `npx tsx test/replay/record-export.ts [name...]`. It writes
 * only those of this version: run it after raising the version in package.json, and for new scenarios.
 */
import { Client, Connection } from '@temporalio/client';
import { NativeConnection } from '@temporalio/worker';
import { exportScenarios, runExportScenario } from './export-scenarios.ts';
import { record } from './recorder.ts';

await record('export', exportScenarios, async ({ address, workflowBundle, wanted, save }) => {
  const native = await NativeConnection.connect({ address });
  const connection = await Connection.connect({ address });
  const client = new Client({ connection, identity: 'recorder' });
  for (const scenario of wanted)
    await save(scenario.name, await runExportScenario({ client, native, workflowBundle }, scenario));
  await connection.close();
  await native.close();
});
