import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger, Worker } from '@temporalio/worker';
import { DeterminismViolationError } from '@temporalio/workflow';
import { beforeAll, describe, expect, test } from 'vitest';
import { supervisorWorkflowId } from '../../src/config/temporal-names.ts';
import { makeWorkflowBundle } from '../../src/worker/workflow-bundle.ts';
import { namesOfThisVersion, readHistories, type SavedHistory } from './histories.ts';
import { scenarios } from './scenarios.ts';
import { quietRuntime } from './supervisor-harness.ts';

const histories = readHistories('supervisor');

function replay(workflowBundle: { code: string }, { json }: SavedHistory): Promise<void> {
  return Worker.runReplayHistory({ workflowBundle }, json, supervisorWorkflowId);
}

beforeAll(() => quietRuntime());

test('every shape of history of this version is saved', () => {
  expect(namesOfThisVersion(histories)).toEqual(scenarios.map(({ name }) => name).toSorted());
});

describe('the supervisor replays its saved histories', () => {
  let bundle: { code: string };
  beforeAll(async () => {
    bundle = await makeWorkflowBundle();
  });

  test.each(histories)('$version $name', async (history) => {
    await replay(bundle, history);
  });

  test('a history that started the readers in the other order fails the replay', async () => {
    const other = new Map([
      ['streamFlows', 'settleBuckets'],
      ['settleBuckets', 'streamFlows'],
    ]);
    for (const { name, version, json } of histories.filter(({ name }) => name === 'windows')) {
      const mutated: unknown = JSON.parse(JSON.stringify(json), (key, value: unknown) =>
        key === 'name' && typeof value === 'string' ? (other.get(value) ?? value) : value,
      );
      await expect(replay(bundle, { name, version, json: mutated })).rejects.toBeInstanceOf(
        DeterminismViolationError,
      );
    }
  });
});

describe.each(['waits-first', 'settles-first', 'ends-at-once'])(
  'a broken supervisor (%s) fails the replay',
  (name) => {
    let bundle: { code: string };
    beforeAll(async () => {
      bundle = await bundleWorkflowCode({
        workflowsPath: fileURLToPath(new URL(`broken/${name}.ts`, import.meta.url)),
        logger: new DefaultLogger('ERROR'),
      });
    });

    test.each(histories)('of $name', async (history) => {
      await expect(replay(bundle, history)).rejects.toBeInstanceOf(DeterminismViolationError);
    });
  },
);
