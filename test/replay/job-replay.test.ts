import { readFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger, Worker } from '@temporalio/worker';
import { DeterminismViolationError } from '@temporalio/workflow';
import { beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { jobNames } from '../../src/config/temporal-names.ts';
import { makeWorkflowBundle } from '../../src/worker/workflow-bundle.ts';
import { namesOfThisVersion, readHistories } from './histories.ts';
import { workflowTypeOf } from './job-scenario.ts';
import { jobScenarios } from './job-scenarios.ts';
import { quietRuntime } from './supervisor-harness.ts';

const histories = readHistories('jobs');
const jobOf = new Map(jobScenarios.map(({ name, job }) => [name, job]));

const sourceMap = z.object({
  version: z.number(),
  file: z.string(),
  sources: z.array(z.string()),
  sourcesContent: z.array(z.string()).default([]),
  names: z.array(z.string()),
  mappings: z.string(),
  sourceRoot: z.string(),
});
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

test('the bundle maps its lines to those of the workflows, for stack traces', () => {
  const [map = ''] = /(?<=\n\/\/# sourceMappingURL=data:[^,]*;base64,)\S+/.exec(bundle.code) ?? [];
  const payload = sourceMap.parse(JSON.parse(Buffer.from(map, 'base64').toString()));
  const line = bundle.code.split('\n').findIndex((text) => text.includes('The digest was not posted'));
  const entry = new SourceMap(payload).findEntry(line, 20);
  if (!('originalSource' in entry)) throw new Error('the line is not mapped');
  expect(entry.originalSource).toMatch(/\/src\/workflows\/digest\.ts$/);
  const source = readFileSync(entry.originalSource.replace(/^file:\/\//, ''), 'utf8').split('\n');
  expect(source[entry.originalLine]).toContain("throw jobFailure('The digest was not posted', error)");
});

test('V8 can store the bundle in one byte per character', () => {
  expect(bundle.code).not.toMatch(/[^\0-\xff]/);
});
