/**
 * Records the histories that replay.test.ts replays: `npx tsx test/replay/record.ts [name...]`. It writes those of this version
 * only: run it once the version in package.json was raised, and for a scenario that is new. The files of a release stay as
 * they are, so that its supervisors continue after an upgrade.
 */
import { record } from './recorder.ts';
import { scenarios } from './scenarios.ts';
import { SupervisorHarness } from './supervisor-harness.ts';

await record('supervisor', scenarios, async ({ address, workflowBundle, wanted, save }) => {
  for (const { name, run } of wanted) {
    const harness = await SupervisorHarness.start(address, workflowBundle, `recorded-${name}`);
    try {
      const handle = await run(harness);
      await save(name, handle);
      await handle.terminate().catch(() => undefined);
    } finally {
      await harness.close();
    }
  }
});
