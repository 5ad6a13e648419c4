/**
 * Records the histories that replay.test.ts replays: `npx tsx test/replay/record.ts [name...]`. It writes those of this version
 * only: run it once the version in package.json was raised, and for a scenario that is new. The files of a release stay as
 * they are, so that its supervisors continue after an upgrade.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { findTemporal } from '../../dev/temporal/find.ts';
import { startTemporalServer } from '../../dev/temporal/server.ts';
import { makeWorkflowBundle } from '../../src/worker/workflow-bundle.ts';
import { folderOf, withoutStacks } from './histories.ts';
import { scenarios } from './scenarios.ts';
import { quietRuntime, SupervisorHarness } from './supervisor-harness.ts';

quietRuntime();
const log = (line: string) => process.stdout.write(`${line}\n`);
const wanted = process.argv.slice(2);
const executable = await findTemporal({ log, signal: new AbortController().signal });
const temporal = await startTemporalServer({ executable, ui: false });
try {
  const bundle = await makeWorkflowBundle();
  const folder = folderOf('supervisor');
  await mkdir(folder, { recursive: true });
  for (const { name, run } of scenarios.filter(({ name }) => wanted.length === 0 || wanted.includes(name))) {
    const harness = await SupervisorHarness.start(temporal.address, bundle, `recorded-${name}`);
    try {
      const handle = await run(harness);
      const history: unknown = JSON.parse(historyToJSON(await handle.fetchHistory()), withoutStacks);
      await writeFile(new URL(`${name}.json`, folder), `${JSON.stringify(history, null, 1)}\n`);
      log(`recorded ${name}`);
      await handle.terminate().catch(() => undefined);
    } finally {
      await harness.close();
    }
  }
} finally {
  await temporal.stop();
}
