import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defaultPayloadConverter } from '@temporalio/common';
import { historyFromJSON } from '@temporalio/common/lib/proto-utils.js';
import { bundleWorkflowCode, DefaultLogger, Worker } from '@temporalio/worker';
import { DeterminismViolationError } from '@temporalio/workflow';
import { beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { trailNames } from '../../src/config/temporal-names.ts';
import { makeWorkflowBundle } from '../../src/worker/workflow-bundle.ts';
import { billedActions } from '../support/temporal-actions.ts';
import { exportScenarios } from './export-scenarios.ts';
import { namesOfThisVersion, readHistories } from './histories.ts';
import { quietRuntime } from './supervisor-harness.ts';

const histories = readHistories('export');
const eventsOf = (json: unknown) => historyFromJSON(json).events ?? [];

beforeAll(() => quietRuntime());

function replay(code: string, json: unknown): Promise<void> {
  return Worker.runReplayHistory({ workflowBundle: { code } }, json, trailNames('').exportId);
}

test('every shape of history of this version is saved', () => {
  expect(namesOfThisVersion(histories)).toEqual(exportScenarios.map(({ name }) => name).toSorted());
});

test('the supervisor of the export replays the saved histories of all releases', async () => {
  const { code } = await makeWorkflowBundle();
  for (const { json } of histories) await replay(code, json);
});

test.each(['waits-first', 'ends-at-once'])('a broken supervisor (%s) fails the replay', async (broken) => {
  const { code } = await bundleWorkflowCode({
    workflowsPath: fileURLToPath(new URL(`broken-exports/${broken}.ts`, import.meta.url)),
    logger: new DefaultLogger('ERROR'),
  });
  for (const { name, json } of histories)
    await expect(replay(code, json), name).rejects.toBeInstanceOf(DeterminismViolationError);
});

test.each(histories)('$version $name: a run has at most 16 events and 10 kB of history', ({ json }) => {
  expect(eventsOf(json).length).toBeLessThanOrEqual(16);
  expect(JSON.stringify(json).length).toBeLessThan(10_000);
});

test('a month is billed for the number of actions in the documentation', () => {
  const window = histories.findLast(({ name }) => name === 'window');
  const events = eventsOf(window?.json);
  const { workflows, activities, ...others } = billedActions(events);
  expect({ workflows, activities }).toEqual({ workflows: 1, activities: 1 });
  expect(Object.values(others).every((count) => count === 0)).toBe(true);
  const scheduled = events.find((event) => event.activityTaskScheduledEventAttributes);
  const { heartbeatTimeout, input } = scheduled?.activityTaskScheduledEventAttributes ?? {};
  const { windowMs } = z
    .object({ windowMs: z.number() })
    .parse(defaultPayloadConverter.fromPayload(input?.payloads?.[0] ?? {}));
  // Heartbeats are billed but leave no event. The SDK sends one after four fifths of the time-out (temporal-actions.test.ts).
  const heartbeats = windowMs / (0.8 * 1_000 * Number(heartbeatTimeout?.seconds));
  const monthMs = (365 / 12) * 24 * 3_600_000;
  const actions = (monthMs / windowMs) * (workflows + activities + heartbeats);
  const documentation = readFileSync(new URL('../../docs/flow-logs.md', import.meta.url), 'utf8');
  const stated = /about ([0-9,]+) actions a month/.exec(documentation)?.[1]?.replaceAll(',', '');
  expect(Math.abs(actions - Number(stated))).toBeLessThan(0.01 * actions);
});
