import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger, Worker } from '@temporalio/worker';
import { DeterminismViolationError } from '@temporalio/workflow';
import { beforeAll, expect, test } from 'vitest';
import { jobNames, jobs, type JobName } from '../../src/names.ts';
import { makeWorkflowBundle } from '../../src/worker/workflow-bundle.ts';
import { jobHistoriesFolder, readHistories } from './histories.ts';
import { jobScenarios } from './job-scenarios.ts';
import { quietRuntime } from './supervisor-harness.ts';

const saved = new Map(readHistories(jobHistoriesFolder).map(({ name, json }) => [name, json]));

let bundle: { code: string };
beforeAll(async () => {
  quietRuntime();
  bundle = await makeWorkflowBundle();
});

function replay(code: string, name: string, job: JobName): Promise<void> {
  return Worker.runReplayHistory({ workflowBundle: { code } }, saved.get(name), jobs[job].scheduleId);
}

test('every shape of history of the jobs is saved', () => {
  expect([...saved.keys()].toSorted()).toEqual(jobScenarios.map(({ name }) => name).toSorted());
});

test('the jobs replay their saved histories', async () => {
  for (const { name, job } of jobScenarios) await replay(bundle.code, name, job);
});

test.each(jobScenarios)('$name is no history of another job', async ({ name, job }) => {
  const { workflowType } = jobs[jobNames.find((other) => other !== job) ?? job];
  const foreign: unknown = JSON.parse(JSON.stringify(saved.get(name)), (key, value: unknown) =>
    key === 'workflowType' ? { name: workflowType } : value,
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
  for (const { name, job } of jobScenarios.filter(({ name }) => name.startsWith('digest-')))
    await expect(replay(code, name, job), name).rejects.toBeInstanceOf(DeterminismViolationError);
});
