/**
 * Records the histories that job-replay.test.ts replays: `npx tsx test/replay/record-jobs.ts [name...]`. It
 * writes those of this version only: run it once the version in package.json was raised, and for a scenario that is new.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { Client, Connection } from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { NativeConnection, Worker } from '@temporalio/worker';
import { findTemporal } from '../../dev/temporal/find.ts';
import { startTemporalServer } from '../../dev/temporal/server.ts';
import { makeWorkflowBundle } from '../../src/worker/workflow-bundle.ts';
import { folderOf, withoutStacks } from './histories.ts';
import { jobScenarios, runScenario } from './job-scenarios.ts';
import { quietRuntime } from './supervisor-harness.ts';

quietRuntime();
const log = (line: string) => process.stdout.write(`${line}\n`);
const wanted = process.argv.slice(2);
const executable = await findTemporal({ log, signal: new AbortController().signal });
const temporal = await startTemporalServer({ executable, ui: false });
try {
  const workflowBundle = await makeWorkflowBundle();
  const native = await NativeConnection.connect({ address: temporal.address });
  const connection = await Connection.connect({ address: temporal.address });
  const client = new Client({ connection, identity: 'recorder' });
  const folder = folderOf('jobs');
  await mkdir(folder, { recursive: true });
  for (const scenario of jobScenarios.filter(({ name }) => wanted.length === 0 || wanted.includes(name))) {
    const taskQueue = `recorded-${scenario.name}`;
    const worker = await Worker.create({
      connection: native,
      taskQueue,
      identity: 'recorder',
      workflowBundle,
      activities: scenario.activities,
    });
    await worker.runUntil(async () => {
      const handle = await runScenario(client, taskQueue, scenario);
      const history: unknown = JSON.parse(historyToJSON(await handle.fetchHistory()), withoutStacks);
      const file = new URL(`${scenario.name}.json`, folder);
      await writeFile(file, `${JSON.stringify(history, null, 1)}\n`);
    });
    log(`recorded ${scenario.name}`);
  }
  await connection.close();
  await native.close();
} finally {
  await temporal.stop();
}
