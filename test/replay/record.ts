/**
 * Records the histories that replay.test.ts replays: `npx tsx test/replay/record.ts [name...]`. It writes only those of
 * this version: run it after raising the version in package.json, and for new scenarios. Never change the files of a
 * release: its supervisors must continue after an upgrade.
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
