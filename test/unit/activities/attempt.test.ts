import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { beforeEach, expect, test } from 'vitest';
import { Attempt } from '../../../src/activities/attempt.ts';
import type { KnownState, Progress } from '../../../src/activities/summary.ts';
import { openDatabase } from '../../../src/trail/database.ts';
import { VirtualClock } from '../../integration/coverage-fake-goldmane.ts';
import { testDeps } from '../../integration/deps.ts';

const minute = 60;
let told: Progress[];
let clock: VirtualClock;
beforeEach(() => {
  told = [];
  clock = new VirtualClock(1_800_000_000);
});

/** What the supervisor is told by an attempt that does this. */
async function tell(known: KnownState | undefined, work: (attempt: Attempt) => void): Promise<string[]> {
  const deps = {
    ...testDeps(openDatabase({ url: 'postgres://nobody@127.0.0.1:1/nothing' }), clock),
    report: (_workflowId: string, progress: Progress) => {
      told.push(progress);
      return Promise.resolve();
    },
  };
  await new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') }).run(() => {
    work(new Attempt(deps, 'settle', known));
    return Promise.resolve();
  });
  return told.map(({ state, error }) => (error === undefined ? state : `${state}: ${error}`));
}

const settled = { settledUpTo: '2026-01-31T08:00:00.000Z', edges: 7 };
const following: KnownState = { state: 'connected', settledUpTo: true, edges: true };

test('a window that goes on as the one before is told of once in ten minutes: history is not free', async () => {
  const states = await tell(following, (attempt) => {
    attempt.beat({ state: 'connecting' });
    attempt.beat({ state: 'connected', ...settled });
    for (let second = 0; second < 14 * minute; second += 5) {
      clock.pass(5);
      attempt.beat(settled);
    }
  });
  expect(states).toEqual(['connected']);
});

test('the first window of a supervisor tells how it comes about', async () => {
  const states = await tell({ state: 'connecting' }, (attempt) => {
    attempt.beat({ state: 'connecting' });
    attempt.beat({ state: 'connected' });
    attempt.beat(settled);
    attempt.beat(settled);
  });
  expect(states).toEqual(['connected', 'connected']);
  expect(told.at(-1)).toMatchObject(settled);
});

test('a change of state is told at once, and so is its end, in whichever window', async () => {
  const states = await tell(following, (attempt) => {
    attempt.beat({ state: 'connected', ...settled });
    attempt.beat({ state: 'failing', error: 'stale certificate' });
    attempt.beat({ state: 'failing', error: 'stale certificate' });
    attempt.beat({ state: 'connected', error: undefined });
  });
  expect(states).toEqual(['failing: stale certificate', 'connected']);
  told = [];
  expect(
    await tell({ ...following, state: 'failing', error: 'stale certificate' }, (attempt) => {
      attempt.beat({ state: 'connecting' });
      attempt.beat({ state: 'connected', ...settled });
    }),
  ).toEqual(['connected']);
});
