import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger, Worker } from '@temporalio/worker';
import { DeterminismViolationError } from '@temporalio/workflow';
import { beforeAll, expect, test } from 'vitest';
import { jobNames } from '../../src/config/names.ts';
import { makeWorkflowBundle } from '../../src/worker/workflow-bundle.ts';
import { jobHistoriesFolder, readHistories } from './histories.ts';
import { workflowTypeOf } from './job-scenario.ts';
import { jobScenarios } from './job-scenarios.ts';
import { quietRuntime } from './supervisor-harness.ts';

const saved = new Map(readHistories(jobHistoriesFolder).map(({ name, json }) => [name, json]));

let bundle: { code: string };
beforeAll(async () => {
  quietRuntime();
  bundle = await makeWorkflowBundle();
});

function replay(code: string, name: string): Promise<void> {
  return Worker.runReplayHistory({ workflowBundle: { code } }, saved.get(name), 'a-job');
}

test('every shape of history of the jobs is saved', () => {
  expect([...saved.keys()].toSorted()).toEqual(jobScenarios.map(({ name }) => name).toSorted());
});

test('the jobs replay their saved histories', async () => {
  for (const { name } of jobScenarios) await replay(bundle.code, name);
});

test.each(jobScenarios)('$name is no history of another job', async ({ name, job }) => {
  const other = workflowTypeOf(jobNames.find((another) => another !== job) ?? job);
  const foreign: unknown = JSON.parse(JSON.stringify(saved.get(name)), (key, value: unknown) =>
    key === 'workflowType' ? { name: other } : value,
  );
  await expect(Worker.runReplayHistory({ workflowBundle: bundle }, foreign, 'a-job')).rejects.toBeInstanceOf(
    DeterminismViolationError,
  );
});

test.each(['digest-posts-first', 'digest-says-nothing'])('a broken job (%s) is caught', async (broken) => {
  const { code } = await bundleWorkflowCode({
    workflowsPath: fileURLToPath(new URL(`broken-jobs/${broken}.ts`, import.meta.url)),
    logger: new DefaultLogger('ERROR'),
  });
  for (const { name } of jobScenarios.filter(({ name }) => name.startsWith('digest-')))
    await expect(replay(code, name), name).rejects.toBeInstanceOf(DeterminismViolationError);
});
