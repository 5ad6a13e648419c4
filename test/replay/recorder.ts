import { mkdir, writeFile } from 'node:fs/promises';
import type { WorkflowHandle } from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { findTemporal } from '../../dev/temporal/find.ts';
import { startTemporalServer } from '../../dev/temporal/server.ts';
import { makeWorkflowBundle } from '../../src/worker/workflow-bundle.ts';
import { folderOf, withoutStacks, type HistoryKind } from './histories.ts';
import { quietRuntime } from './supervisor-harness.ts';

interface Recorder<Scenario> {
  /** Address of a dev server that is stopped afterwards. */
  address: string;
  workflowBundle: { code: string };
  /** The scenarios that the command line names, or all. */
  wanted: readonly Scenario[];
  save(name: string, handle: WorkflowHandle): Promise<void>;
}

/** Records the histories of this version with a dev server. */
export async function record<Scenario extends { name: string }>(
  kind: HistoryKind,
  scenarios: readonly Scenario[],
  run: (recorder: Recorder<Scenario>) => Promise<void>,
): Promise<void> {
  quietRuntime();
  const log = (line: string) => process.stdout.write(`${line}\n`);
  const names = process.argv.slice(2);
  const executable = await findTemporal({ log, signal: new AbortController().signal });
  const temporal = await startTemporalServer({ executable, ui: false });
  try {
    const folder = folderOf(kind);
    await mkdir(folder, { recursive: true });
    await run({
      address: temporal.address,
      workflowBundle: await makeWorkflowBundle(),
      wanted: scenarios.filter(({ name }) => names.length === 0 || names.includes(name)),
      async save(name, handle) {
        const history: unknown = JSON.parse(historyToJSON(await handle.fetchHistory()), withoutStacks);
        await writeFile(new URL(`${name}.json`, folder), `${JSON.stringify(history, null, 1)}\n`);
        log(`recorded ${name}`);
      },
    });
  } finally {
    await temporal.stop();
  }
}
