import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, inject, test } from 'vitest';
import type { Clock } from '../../src/time/clock.ts';
import { startSlack, type SlackStandIn } from '../../dev/slack/stand-in.ts';
import { recordTrouble } from '../../src/trail/coverage-ranges/trouble.ts';
import { openDatabase, type Database } from '../../src/trail/database/database.ts';
import { merge } from '../../src/trail/merge/merge.ts';
import { databasePerTest } from '../support/database.ts';
import { countFailedRuns } from '../../src/temporal/runs.ts';
import { JobWorker } from '../support/job-worker.ts';
import { until } from '../support/poll.ts';
import { folderOfTest } from '../support/folder.ts';

const nobody = 'postgres://nobody:a-password@127.0.0.1:1/none';
const db = databasePerTest();
let database: Database;
let slack: SlackStandIn;
let jobs: JobWorker;
let folder: string;
let urlFile: string;
let aheadMs: number;

beforeEach(async () => {
  aheadMs = 0;
  [slack, folder] = await Promise.all([startSlack({ port: 0 }), folderOfTest()]);
  urlFile = join(folder, 'DATABASE_URL');
  await writeFile(urlFile, db.url);
  database = openDatabase({ urlFile });
  jobs = await JobWorker.start(inject('temporalAddress'), database, { SLACK_WEBHOOK_URL: slack.webhookUrl });
  const { clock } = jobs.deps.config;
  const later: Clock = { ...clock, now: () => clock.now() + aheadMs };
  jobs.deps.config.clock = later;
});
afterEach(async () => {
  await jobs.close();
  await slack.stop();
  await database.close();
});

const nowSeconds = () => jobs.deps.config.clock.now() / 1000;
const pass = (minutes: number) => (aheadMs += minutes * 60_000);
const headers = () => slack.messages.map(({ text }) => text.split('\n')[0]);
const watch = () => jobs.run('freshness');

/** Settles the empty bucket of seven minutes ago, as in a quiet cluster. */
async function settle(): Promise<void> {
  const startSeconds = Math.floor((nowSeconds() - 420) / 15) * 15;
  await merge(db.database, [{ startSeconds, records: [], settled: 'settled' }], {
    portCap: 64,
    nowSeconds: nowSeconds(),
  });
}

test('a stopped trail causes a warning, a page before the ring expires, and a resolved message, each once', async () => {
  await settle();
  expect(await watch()).toMatchObject({ result: { state: 'good', alert: 'unchanged' } });

  pass(6);
  await recordTrouble(db.database.query, 'Stale certificate: it worked. Re-sync.', nowSeconds());
  for (const alert of ['posted', 'unchanged'])
    expect(await watch()).toMatchObject({
      result: { state: 'late', minutes: 6, alert, cause: expect.stringMatching(/^Stale certificate/) },
    });

  pass(40);
  for (let run = 0; run < 2; run += 1)
    expect(await watch()).toMatchObject({
      failed: 'trail_stalled',
      message: expect.stringMatching(
        /^Nothing has been merged or settled for 46 minutes.*Stale certificate.*Goldmane keeps the missing records until/,
      ),
      details: { state: 'stalled', minutes: 46 },
    });

  await settle();
  expect(await watch()).toMatchObject({ result: { state: 'good', alert: 'posted' } });
  expect(headers()).toEqual([
    expect.stringMatching(/^Warning: .*behind/),
    expect.stringMatching(/^Page: .*stalled/),
    expect.stringMatching(/^Resolved: /),
  ]);
  expect(JSON.stringify(slack.messages)).not.toMatch(/<!(channel|here|everyone)/);
});

test('a quiet cluster raises no alert: settling empty buckets is progress', async () => {
  for (let run = 0; run < 3; run += 1) {
    await settle();
    expect(await watch()).toMatchObject({ result: { state: 'good' } });
    pass(30);
  }
  expect(headers()).toEqual([]);
});

test('a new gap is posted immediately, and further ones within an hour in one later message', async () => {
  await settle();
  expect(await watch()).toMatchObject({ result: { state: 'good', alert: 'unchanged' } });
  const { query } = db.database;
  const began = Math.floor(nowSeconds() / 15) * 15 - 7_200;
  const add = (from: number, to: number, state: string, cause: string | null) =>
    query(
      'insert into coverage (from_time, to_time, state, cause, refused_records) values (to_timestamp($1), to_timestamp($2), $3, $4, $5)',
      [began + from, began + to, state, cause, state === 'incomplete' ? 3 : 0],
    );
  await add(0, 600, 'final', null);
  await add(600, 1_500, 'gap', 'Goldmane was <!channel> away');
  for (const alert of ['posted', 'unchanged'])
    expect(await watch()).toMatchObject({ result: { state: 'good', alert } });
  // The gap grows, and there are further gaps.
  await query("update coverage set to_time = to_time + interval '5 minutes' where state = 'gap'");
  await add(1_800, 1_830, 'incomplete', null);
  expect(await watch()).toMatchObject({ result: { alert: 'unchanged' } });
  pass(61);
  await settle();
  expect(await watch()).toMatchObject({
    result: {
      alert: 'posted',
      newGaps: [{ cause: 'Goldmane was <!channel> away' }, { cause: expect.stringContaining('3') }],
    },
  });
  pass(61);
  await settle();
  expect(await watch()).toMatchObject({ result: { alert: 'unchanged' } });
  expect(headers()).toEqual([
    expect.stringMatching(/^Warning: 15 min /),
    expect.stringMatching(/^Warning: 5 min 30 s /),
  ]);
  expect(JSON.stringify(slack.messages)).not.toMatch(/<!(channel|here|everyone)/);
});

test('a gap that was not posted is posted by the next run', async () => {
  await settle();
  await db.database.query(
    "insert into coverage (from_time, to_time, state, cause) values (now() - interval '2 hours', now() - interval '1 hour', 'gap', 'away')",
  );
  slack.answerAll({ status: 404, body: 'channel_not_found' });
  await expect(watch()).rejects.toMatchObject({ cause: { cause: { type: 'slack_channel_not_found' } } });
  const failedRuns = () => countFailedRuns(jobs.client, jobs.taskQueue, Date.now() - 3_600_000);
  await until('the failed run is counted', async () =>
    (await failedRuns()).get('freshness') === 1 ? true : undefined,
  );
  slack.answerAll('ok');
  expect(await watch()).toMatchObject({ result: { alert: 'posted' } });
  expect(headers()).toEqual([expect.stringMatching(/^Warning: 1 h /)]);
  await until('a completed run ends the count', async () =>
    (await failedRuns()).size === 0 ? true : undefined,
  );
});

test.each([[null], ['soon'], [{ patienceMs: 'long' }], [{ patienceMs: -1 }], [{ patienceMs: 1e300 }]])(
  'a run started by hand with the input %j checks as usual',
  async (input) => {
    expect(await jobs.run('freshness', [input])).toMatchObject({ result: { state: 'beginning' } });
  },
);

test('a run of a workflow type that does not exist fails at once; one of a later version waits for its worker', async () => {
  const start = (memo: Record<string, unknown>) =>
    jobs.client.workflow.start('freshnessWatchdogs', {
      workflowId: `unknown-${randomUUID()}`,
      taskQueue: jobs.taskQueue,
      args: [],
      memo,
    });
  const byHand = await start({});
  await expect(byHand.result()).rejects.toMatchObject({
    cause: { type: 'unknown_workflow_type', message: expect.stringContaining('freshnessWatchdog,') },
  });
  const ofLaterVersion = await start({ trailId: randomUUID() });
  await until('its workflow task has failed', async () => {
    const { raw, status } = await ofLaterVersion.describe();
    expect(status.name).toBe('RUNNING');
    return (raw.pendingWorkflowTask?.attempt ?? 1) > 1 ? true : undefined;
  });
  await ofLaterVersion.terminate();
});

test('a new trail raises no alert at first, then a warning if it merges nothing', async () => {
  expect(await watch()).toMatchObject({ result: { state: 'beginning', alert: 'unchanged' } });
  pass(6);
  expect(await watch()).toMatchObject({ result: { state: 'never_merged', alert: 'posted' } });
  expect(headers()).toEqual([expect.stringMatching(/^Warning: .*merged/)]);
});

test('a database outage is posted once, paged once, and posted as resolved', async () => {
  await settle();
  const scheduled = await jobs.schedule('freshness', [{ patienceMs: 3_000 }]);
  expect(await scheduled.trigger()).toMatchObject({ result: { state: 'good', alert: 'unchanged' } });

  await writeFile(urlFile, nobody);
  for (const alerted of ['warned', 'warned', 'paged', 'paged']) {
    const outcome = await scheduled.trigger();
    expect(outcome).toMatchObject({
      failed: 'database_away',
      message: expect.stringContaining('ECONNREFUSED'),
      details: { alerted },
    });
    expect(JSON.stringify(outcome)).not.toContain('a-password');
    if (headers().length === 1) pass(23);
  }

  await writeFile(urlFile, db.url);
  await settle();
  expect(await scheduled.trigger()).toMatchObject({ result: { state: 'good', alert: 'posted' } });
  expect(await scheduled.trigger()).toMatchObject({ result: { state: 'good', alert: 'unchanged' } });
  expect(headers()).toEqual([
    expect.stringMatching(/^Critical: .*database/),
    expect.stringMatching(/^Page: .*database/),
    expect.stringMatching(/^Resolved: /),
  ]);
  await scheduled.delete();
});
