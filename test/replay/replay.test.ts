import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger, Worker } from '@temporalio/worker';
import { DeterminismViolationError } from '@temporalio/workflow';
import { beforeAll, describe, expect, test } from 'vitest';
import { supervisorWorkflowId } from '../../src/config/names.ts';
import { makeWorkflowBundle } from '../../src/worker/workflow-bundle.ts';
import { readHistories, type SavedHistory } from './histories.ts';
import { scenarios } from './scenarios.ts';
import { quietRuntime } from './supervisor-harness.ts';

const histories = readHistories();

function replay(workflowBundle: { code: string }, { json }: SavedHistory): Promise<void> {
  return Worker.runReplayHistory({ workflowBundle }, json, supervisorWorkflowId);
}

beforeAll(() => quietRuntime());

test('every shape of history is saved', () => {
  expect(histories.map(({ name }) => name)).toEqual(scenarios.map(({ name }) => name).toSorted());
});

describe('the supervisor replays its saved histories', () => {
  let bundle: { code: string };
  beforeAll(async () => {
    bundle = await makeWorkflowBundle();
  });

  test.each(histories)('$name', async (history) => {
    await replay(bundle, history);
  });
});

describe.each(['waits-first', 'settles-first', 'ends-at-once'])(
  'a broken supervisor (%s) is caught',
  (name) => {
    let bundle: { code: string };
    beforeAll(async () => {
      bundle = await bundleWorkflowCode({
        workflowsPath: fileURLToPath(new URL(`broken/${name}.ts`, import.meta.url)),
        logger: new DefaultLogger('ERROR'),
      });
    });

    test.each(histories)('by $name', async (history) => {
      await expect(replay(bundle, history)).rejects.toBeInstanceOf(DeterminismViolationError);
    });
  },
);
