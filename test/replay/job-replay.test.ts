import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger, Worker } from '@temporalio/worker';
import { DeterminismViolationError } from '@temporalio/workflow';
import { beforeAll, expect, test } from 'vitest';
import { jobNames } from '../../src/config/names.ts';
import { makeWorkflowBundle } from '../../src/worker/workflow-bundle.ts';
import { namesOfThisVersion, readHistories } from './histories.ts';
import { workflowTypeOf } from './job-scenario.ts';
import { jobScenarios } from './job-scenarios.ts';
import { quietRuntime } from './supervisor-harness.ts';

const histories = readHistories('jobs');
const jobOf = new Map(jobScenarios.map(({ name, job }) => [name, job]));

let bundle: { code: string };
beforeAll(async () => {
  quietRuntime();
  bundle = await makeWorkflowBundle();
});

function replay(code: string, json: unknown): Promise<void> {
  return Worker.runReplayHistory({ workflowBundle: { code } }, json, 'a-job');
}

test('every shape of history of this version is saved', () => {
  expect(namesOfThisVersion(histories)).toEqual(jobScenarios.map(({ name }) => name).toSorted());
});

test('the jobs replay the saved histories of all releases', async () => {
  for (const { json } of histories) await replay(bundle.code, json);
});

test.each(histories)('$version $name does not replay as another job', async ({ name, json }) => {
  const other = workflowTypeOf(jobNames.find((another) => another !== jobOf.get(name)) ?? 'digest');
  const foreign: unknown = JSON.parse(JSON.stringify(json), (key, value: unknown) =>
    key === 'workflowType' ? { name: other } : value,
  );
  await expect(replay(bundle.code, foreign)).rejects.toBeInstanceOf(DeterminismViolationError);
});

test.each(['digest-posts-first', 'digest-does-nothing'])(
  'a broken job (%s) fails the replay',
  async (broken) => {
    const { code } = await bundleWorkflowCode({
      workflowsPath: fileURLToPath(new URL(`broken-jobs/${broken}.ts`, import.meta.url)),
      logger: new DefaultLogger('ERROR'),
    });
    for (const { name, json } of histories.filter(({ name }) => name.startsWith('digest-')))
      await expect(replay(code, json), name).rejects.toBeInstanceOf(DeterminismViolationError);
  },
);
