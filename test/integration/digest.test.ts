import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { postDigest, prepareDigest } from '../../src/activities/digest.ts';
import { readDigestEdges } from '../../src/trail/jobs/announcements.ts';
import { databaseFailure } from '../../src/trail/database/database-failure.ts';
import { makeWorkflowBundle } from '../../src/worker/workflow-bundle.ts';
import { until } from '../support/poll.ts';
import { dayMs, DigestHarness, hourMs, morning, type EdgeSpec } from './digest-harness.ts';

let bundle: { code: string };
let harness: DigestHarness;

beforeAll(async () => {
  bundle = await makeWorkflowBundle();
});
afterEach(() => harness.close());

async function start(takenOver: readonly EdgeSpec[] = []): Promise<DigestHarness> {
  harness = await DigestHarness.start(bundle, takenOver);
  return harness;
}

describe('each edge is announced once', () => {
  test('new edges are posted once; a run without new edges posts nothing', async () => {
    await start();
    await harness.addEdges({ dst: 'billing' }, { dst: 'vault', action: 'deny' });
    const first = await harness.run();
    expect(first).toMatchObject({ outcome: 'posted', edges: 2, denied: 1, messages: 1 });
    expect(first.says).toMatch(/^2 new edges, .* Sun 22 Nov 08:00 GMT/);
    expect(harness.announced).toEqual([['vault', 'billing']]);
    expect(harness.shownIds).toEqual([first.digestId]);
    harness.nowMs += dayMs;
    const second = await harness.run();
    expect(second).toMatchObject({ outcome: 'quiet', edges: 0, messages: 0 });
    expect(second.says).toMatch(/Mon 23 Nov 08:00 GMT .* Tue 24 Nov 08:00 GMT/);
    expect(harness.slack.posts).toBe(1);
  });

  test('an edge found late, first seen before the previous digest, is announced and marked', async () => {
    await start();
    await harness.addEdges({ dst: 'billing' });
    await harness.run();
    await harness.addEdges({ dst: 'late', firstSeenMs: morning - 3 * hourMs });
    harness.nowMs += dayMs;
    expect(await harness.run()).toMatchObject({ outcome: 'posted', edges: 1, foundLate: 1 });
    expect(harness.announced).toEqual([['billing'], ['late']]);
    expect(JSON.stringify(harness.slack.messages[1])).toContain('_found late_');
  });

  test('edges of an adopted table are treated as known if older than a day, and announced otherwise', async () => {
    await start([
      { dst: 'old', firstSeenMs: morning - 30 * dayMs },
      { dst: 'older-than-a-day', firstSeenMs: morning - dayMs - 1_000 },
      { dst: 'of-today', firstSeenMs: morning - dayMs + 1_000 },
    ]);
    expect(await harness.run()).toMatchObject({ outcome: 'posted', edges: 1 });
    expect(harness.announced).toEqual([['of-today']]);
    expect(JSON.stringify(harness.slack.messages[0])).toContain('2 existed before');
    await harness.addEdges({ dst: 'found-later', firstSeenMs: morning - 20 * dayMs });
    harness.nowMs += dayMs;
    await harness.run();
    expect(harness.announced).toEqual([['of-today'], ['found-later']]);
  });

  test('the set of known edges is fixed at the first run, even if Slack then rejects digests for days', async () => {
    await start([{ dst: 'old', firstSeenMs: morning - 30 * dayMs }, { dst: 'of-today' }]);
    harness.slack.answerAll({ status: 404, body: 'no_service' });
    for (let day = 0; day < 3; day += 1) {
      await harness.failureOf(await harness.begin());
      harness.nowMs += dayMs;
      await harness.addEdges({ dst: `of-day-${day}` });
    }
    harness.slack.answerAll('ok');
    expect(await harness.run()).toMatchObject({ edges: 4 });
    expect(harness.announced).toEqual([['of-day-0', 'of-day-1', 'of-day-2', 'of-today']]);
  });

  test('a digest of 360 edges is one message that announces each edge', async () => {
    await start();
    await harness.addEdges(
      ...Array.from({ length: 360 }, (_, n) => ({ src: `ns-${n % 90}`, dst: `svc-${n}` })),
    );
    const result = await harness.run();
    expect(result).toMatchObject({ outcome: 'posted', edges: 360, messages: 1 });
    expect(Object.keys(await harness.announcements())).toHaveLength(360);
    const shown = await readDigestEdges(harness.db.database.query, result.digestId);
    expect(new Set(shown?.map(({ dstNs }) => dstNs)).size).toBe(360);
    expect(await readDigestEdges(harness.db.database.query, 'digest/none')).toBeUndefined();
  });

  test('5,000 edges do not fail', async () => {
    await start();
    await harness.db.database.query(
      `insert into edge select 'ns-' || n % 70, 'svc-' || n, 'allow', to_timestamp($1), to_timestamp($1), 1
       from generate_series(1, 5000) n`,
      [morning / 1000 - 60],
    );
    expect(await harness.run()).toMatchObject({ outcome: 'posted', edges: 5_000 });
    harness.nowMs += dayMs;
    expect(await harness.run()).toMatchObject({ outcome: 'quiet' });
  });
});

describe('run again', () => {
  test('runs with the same nominal time post the same digest once', async () => {
    await start();
    await harness.addEdges({ dst: 'billing' });
    const scheduleId = `schedule-${harness.taskQueue}`;
    const schedule = await harness.client.schedule.create({
      scheduleId,
      spec: { cronExpressions: ['0 8 * * *'], timezone: 'Europe/London' },
      action: {
        type: 'startWorkflow',
        workflowType: 'dailyDigest',
        workflowId: scheduleId,
        taskQueue: harness.taskQueue,
        args: [],
      },
      state: { paused: true },
    });
    const day = { start: new Date('2026-06-01T00:00:00Z'), end: new Date('2026-06-02T00:00:00Z') };
    const runs = async (count: number) =>
      until(`${count} runs have ended`, async () => {
        const { recentActions } = (await schedule.describe()).info;
        if (recentActions.length < count) return undefined;
        return Promise.all(
          recentActions.map(({ action }) =>
            harness.client.workflow
              .getHandle(action.workflow.workflowId, action.workflow.firstExecutionRunId)
              .result(),
          ),
        );
      });
    await schedule.backfill({ ...day, overlap: 'ALLOW_ALL' });
    const digestId = 'digest/2026-06-01T07:00:00Z';
    expect(await runs(1)).toMatchObject([{ digestId, outcome: 'posted' }]);
    await schedule.backfill({ ...day, overlap: 'ALLOW_ALL' });
    expect(await runs(2)).toMatchObject([
      { digestId, outcome: 'posted' },
      { digestId, outcome: 'posted before' },
    ]);
    expect(harness.slack.posts).toBe(1);
    await schedule.delete();
  });

  test('a post whose response was lost is repeated with the same digest id, and no edge is lost', async () => {
    await start();
    await harness.addEdges({ dst: 'billing' });
    harness.slack.answerNext('take_and_cut');
    const result = await harness.run();
    expect(result).toMatchObject({ outcome: 'posted', edges: 1 });
    expect(harness.shownIds).toEqual([result.digestId, result.digestId]);
    expect(harness.slack.messages[0]?.blocks).toEqual(harness.slack.messages[1]?.blocks);
    expect(await harness.announcements()).toEqual({ billing: result.digestId });
  });

  test('a post that was not recorded in the database is repeated', async () => {
    await start();
    await harness.addEdges({ dst: 'billing' });
    const deps = harness.deps();
    const digest = { digestId: 'digest/a' };
    await prepareDigest(deps, digest);
    const lost = () => Promise.reject(databaseFailure('lost', 'the connection to Postgres was lost'));
    const crashing = { ...deps, database: { ...deps.database, transaction: lost } };
    await expect(harness.inActivity(() => postDigest(crashing, digest))).rejects.toMatchObject({
      type: 'database_lost',
      nonRetryable: false,
    });
    expect(await harness.announcements()).toEqual({});
    await harness.inActivity(() => postDigest(deps, digest));
    expect(harness.shownIds).toEqual(['digest/a', 'digest/a']);
    expect(await harness.announcements()).toEqual({ billing: 'digest/a' });
  });

  test('edges found between two attempts are in the next digest: the message does not change', async () => {
    await start();
    await harness.addEdges({ dst: 'billing' });
    harness.slack.answerNext({ status: 503, body: '' });
    const run = await harness.begin();
    await until('the first attempt was refused', () => (harness.slack.posts >= 1 ? true : undefined));
    await harness.addEdges({ dst: 'newcomer' });
    expect(await harness.resultOf(run)).toMatchObject({ edges: 1 });
    await harness.run();
    expect(harness.announced).toEqual([['billing'], ['newcomer']]);
  });

  test('only messages that Slack did not accept are repeated', async () => {
    await start();
    await harness.addEdges(
      ...Array.from({ length: 40 }, (_, n) => ({
        src: `ns-${n}${'-long'.repeat(45)}`,
        dst: `svc-${n}${'-long'.repeat(45)}`,
      })),
    );
    harness.slack.answerNext('ok', { status: 500, body: '' });
    const { messages } = await harness.run();
    expect(messages).toBe(2);
    expect(harness.slack.posts).toBe(3);
    expect(new Set(harness.announced.flat()).size).toBe(40);
    expect(harness.announced.flat()).toHaveLength(40);
  });
});

describe('two digests at once', () => {
  test('announce no edge twice: the second omits what the first announced', async () => {
    await start();
    await harness.addEdges({ dst: 'billing' });
    const deps = harness.deps();
    const [a, b] = [{ digestId: 'digest/a' }, { digestId: 'digest/b' }];
    await prepareDigest(deps, a);
    await harness.addEdges({ dst: 'newcomer' });
    await prepareDigest(deps, b);
    await harness.inActivity(() => postDigest(deps, a));
    expect(await harness.inActivity(() => postDigest(deps, b))).toMatchObject({
      outcome: 'posted',
      edges: 1,
    });
    expect(harness.announced).toEqual([['billing'], ['newcomer']]);
  });

  test('wait for each other', async () => {
    await start();
    await harness.addEdges({ dst: 'billing' });
    harness.slack.answerNext('hang');
    const first = await harness.begin();
    await until('the first digest posts', () => (harness.slack.posts === 1 ? true : undefined));
    const second = await harness.begin();
    await until('the second digest waits', () => harness.retryOf(second, /Another digest is being posted/));
    const results = await Promise.all([harness.resultOf(first), harness.resultOf(second)]);
    expect(results.map(({ outcome }) => outcome).toSorted()).toEqual(['posted', 'quiet']);
    expect(harness.announced).toEqual([['billing']]);
  });
});

describe('a dry run', () => {
  test('posts nothing and marks nothing as announced', async () => {
    await start();
    await harness.addEdges({ dst: 'billing' });
    harness.isDry = true;
    expect(await harness.run()).toMatchObject({ outcome: 'printed', edges: 1 });
    expect(harness.slack.posts).toBe(0);
    expect(await harness.announcements()).toEqual({});
    harness.isDry = false;
    expect(await harness.run()).toMatchObject({ outcome: 'posted', edges: 1 });
    expect(harness.announced).toEqual([['billing']]);
  });
});

describe('rejections by Slack', () => {
  test.each([
    [404, 'channel_not_found'],
    [404, 'no_service'],
    [410, 'channel_is_archived'],
    [403, 'action_prohibited'],
    [400, 'invalid_blocks'],
  ])(
    'with %i %s, which is permanent, fail the run immediately; the next digest announces the edge',
    async (status, body) => {
      await start();
      await harness.addEdges({ dst: 'billing' });
      harness.slack.answerNext({ status, body });
      const { type, message } = await harness.failureOf(await harness.begin());
      expect(type).toBe(`slack_${body}`);
      expect(message).not.toContain('/services/');
      expect(harness.slack.posts).toBe(1);
      expect(await harness.run()).toMatchObject({ outcome: 'posted', edges: 1 });
    },
  );

  test('with 429 delay the next attempt by the time in Retry-After', async () => {
    await start();
    await harness.addEdges({ dst: 'billing' });
    harness.slack.answerNext({ status: 429, body: 'rate_limited', retryAfterSeconds: 4 });
    const run = await harness.begin();
    const waits = await until('the run waits for its retry', () => harness.retryOf(run, /4 s \(429\)/));
    expect(waits).toBe(4_000);
    expect(await harness.resultOf(run)).toMatchObject({ outcome: 'posted' });
    expect(harness.slack.posts).toBe(2);
  });

  test('with a server error are retried', async () => {
    await start();
    await harness.addEdges({ dst: 'billing' });
    harness.slack.answerNext({ status: 503, body: '' }, { status: 500, body: '' });
    expect(await harness.run()).toMatchObject({ outcome: 'posted' });
    expect(harness.slack.posts).toBe(3);
  });
});

test('gaps are reported once, with their cause, even if they ended while a digest was prepared', async () => {
  await start();
  const at = (hours: number) => new Date(morning + hours * hourMs);
  const storeCoverage = (from: number, to: number, state: string, cause: string | null) =>
    harness.db.database.query(
      'insert into coverage (from_time, to_time, state, cause) values ($1, $2, $3, $4)',
      [at(from), at(to), state, cause],
    );
  const decided = (hours: number) =>
    harness.db.database.query('update trail_state set began_at = $1, decided_until = $2', [
      at(-48),
      at(hours),
    ]);
  await storeCoverage(-48, -5, 'final', null);
  await storeCoverage(-5, -4, 'gap', 'Goldmane was down');
  await storeCoverage(-4, -0.75, 'final', null);
  await decided(-0.75);
  await harness.addEdges({ dst: 'billing' });
  expect(await harness.run()).toMatchObject({ gapSeconds: 3_600, gaps: [{ cause: 'Goldmane was down' }] });
  expect(JSON.stringify(harness.slack.messages[0])).toContain('1 h, in 1 gap');

  await storeCoverage(-0.75, -0.5, 'gap', 'the worker was down');
  await storeCoverage(-0.5, 24, 'final', null);
  await decided(24);
  harness.nowMs += dayMs;
  await harness.addEdges({ dst: 'vault' });
  expect(await harness.run()).toMatchObject({ gapSeconds: 900, gaps: [{ cause: 'the worker was down' }] });
});
