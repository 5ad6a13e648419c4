import { afterEach, beforeAll, beforeEach, expect, inject, test } from 'vitest';
import { makeWorkflowBundle } from '../../src/worker/workflow-bundle.ts';
import { parseAnswer } from '../support/answer.ts';
import { flowTrail } from '../support/cli.ts';
import { DigestHarness } from './digest-harness.ts';

let bundle: { code: string };
let harness: DigestHarness;

beforeAll(async () => {
  bundle = await makeWorkflowBundle();
});
beforeEach(async () => {
  harness = await DigestHarness.start(bundle);
});
afterEach(() => harness.close());

const env = () => ({
  DATABASE_URL: harness.db.url,
  TEMPORAL_ADDRESS: inject('temporalAddress'),
  TEMPORAL_TASK_QUEUE: harness.taskQueue,
});

test.each([
  ['--dry-run', ['digest', '--dry-run'], {}],
  ['DRY_RUN=1', ['digest'], { DRY_RUN: '1' }],
])('digest with %s prints the pending announcement and changes nothing', async (_what, args, more) => {
  await harness.addEdges({ dst: 'billing', firstSeenMs: Date.now() - 60_000 });
  for (let time = 0; time < 2; time += 1) {
    const { code, out } = await flowTrail(args, { ...env(), ...more });
    expect(code).toBe(0);
    expect(out).toMatch(/^1 new edge, from .* \(Europe\/London\)\n/);
    expect(out).toMatch(/\nshop\n {2}-> billing {2}allow {2}since .*, 1 flow\n$/);
  }
  expect(harness.slack.posts).toBe(0);
  expect(await harness.announcements()).toEqual({});
});

test('a dry run uses neither Temporal nor Slack, and treats edges that existed before a new trail as known', async () => {
  await harness.addEdges({ dst: 'old', firstSeenMs: Date.now() - 48 * 3_600_000 });
  const { code, out } = await flowTrail(['digest', '--dry-run'], {
    DATABASE_URL: harness.db.url,
    TEMPORAL_ADDRESS: '127.0.0.1:1',
  });
  expect(code).toBe(0);
  expect(out).toContain('No new edge');
  expect(out).toContain('1 edge existed before the first digest; not announced');
});

test('digest runs the job, waits for it and prints its result', async () => {
  await harness.addEdges({ dst: 'billing' });
  const { code, out, err } = await flowTrail(['digest'], env());
  expect(code).toBe(0);
  expect(parseAnswer('run-digest', out)).toMatchObject({ outcome: 'posted', edges: 1 });
  expect(err).toMatch(/started flow-trail\/daily-digest-by-hand-\S+, waiting for its result/);
  expect(harness.announced).toEqual([['billing']]);
});

test('digest exits with 1 and the failure’s message when the job fails', async () => {
  await harness.addEdges({ dst: 'billing' });
  harness.slack.answerNext({ status: 404, body: 'channel_not_found' });
  const { code, out, err } = await flowTrail(['digest'], env());
  expect(code).toBe(1);
  expect(out).toBe('');
  expect(err).toContain('404 channel_not_found');
});

test('digest reports that Temporal is unavailable, with the cure', async () => {
  const { code, err } = await flowTrail(['digest'], { ...env(), TEMPORAL_ADDRESS: '127.0.0.1:1' });
  expect(code).toBe(1);
  expect(err).toContain('127.0.0.1:1');
});
