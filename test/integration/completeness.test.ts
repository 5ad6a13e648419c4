import { randomUUID } from 'node:crypto';
import { ScheduleOverlapPolicy } from '@temporalio/client';
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import { reportCompleteness } from '../../src/activities/completeness.ts';
import { loadConfig } from '../../src/config/config.ts';
import { startSlack, type SlackStandIn } from '../../dev/slack/stand-in.ts';
import { jobs } from '../../src/config/temporal-names.ts';
import type { Database } from '../../src/trail/database/database.ts';
import { databasePerTest } from '../support/database.ts';
import { JobWorker } from '../support/job-worker.ts';
import { until } from '../support/poll.ts';
import { testDeps } from './deps.ts';
import { podIn } from './ledger-batches.ts';
import { storeSettled, mergeRecords, mergeDaily, fixedClock, recordBetween } from './watched-days.ts';

const { database } = databasePerTest();
let slack: SlackStandIn;

beforeEach(async () => {
  slack = await startSlack({ port: 0 });
});
afterEach(() => slack.stop());

const posted = () => slack.messages.map(({ text, blocks }) => ({ text, blocks }));
const headlines = () => slack.messages.map(({ text }) => text.split('. ')[0]);
const first = 'Allowlist completeness: first report';

function config(clock: ReturnType<typeof fixedClock>, env: NodeJS.ProcessEnv = {}) {
  const settings = {
    DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none',
    SLACK_WEBHOOK_URL: slack.webhookUrl,
    ...env,
  };
  return { ...loadConfig(settings), clock };
}

/** A function that reports on the morning of a given day after `monday`, with everything before it covered. */
function reporter(env: NodeJS.ProcessEnv = {}, with_: { database?: Database } = {}) {
  const clock = fixedClock(0);
  const deps = { ...testDeps(with_.database ?? database, clock), config: config(clock, env) };
  return async (day: number, reportId = `completeness/${day}`) => {
    clock.set(day + 0.25);
    await storeSettled(database, day + 0.25);
    return reportCompleteness(deps, { reportId });
  };
}

async function verdicts(): Promise<string[]> {
  const rows = await database.query<{ line: string }>(
    `select concat_ws(' ', namespace, verdict, told_verdict) as line from namespace_verdict order by namespace`,
  );
  return rows.map(({ line }) => line);
}

describe('the report', () => {
  test('is posted in full at first, then when a verdict changes, and once a week', async () => {
    await mergeDaily(database, 0, 14);
    const report = reporter();
    expect(await report(4)).toMatchObject({ outcome: 'posted', verdicts: { learning: 2 }, changed: 0 });
    expect(await report(5)).toMatchObject({ outcome: 'quiet' });
    // The next Monday.
    expect(await report(7)).toMatchObject({ outcome: 'posted', changed: 0 });
    expect(await report(8)).toMatchObject({
      outcome: 'posted',
      changes: ['a: learning -> complete', 'b: learning -> complete'],
    });
    await mergeRecords(database, 9, recordBetween(podIn('a'), podIn('c')));
    expect(await report(9)).toMatchObject({
      outcome: 'posted',
      changes: ['a: complete -> unstable', 'c: new -> learning'],
    });
    expect(await report(10)).toMatchObject({ outcome: 'quiet' });
    expect(headlines()).toEqual([
      first,
      'Allowlist completeness: weekly report, no changes',
      'Allowlist completeness: 2 namespaces changed',
      'Allowlist completeness: 2 namespaces changed',
    ]);
    expect(await verdicts()).toEqual(['a unstable unstable', 'b complete complete', 'c learning learning']);
    expect(await database.query('select report_id from completeness_report')).toHaveLength(6);
  });

  test('is stored but not posted before anything was observed', async () => {
    expect(await reporter()(0)).toMatchObject({ outcome: 'quiet', namespaces: 0 });
    expect(headlines()).toEqual([]);
  });

  test('is posted once per nominal time', async () => {
    await mergeDaily(database, 0, 2);
    const report = reporter();
    expect(await report(2)).toMatchObject({ outcome: 'posted' });
    expect(await report(2)).toMatchObject({ outcome: 'posted before' });
    expect(headlines()).toEqual([first]);
  });

  test('is posted later with the changes since then if Slack rejected it', async () => {
    await mergeDaily(database, 0, 14);
    const report = reporter();
    await report(4);
    slack.answerAll({ status: 404, body: 'channel_not_found' });
    await expect(report(8)).rejects.toMatchObject({
      type: 'slack_channel_not_found',
      nonRetryable: true,
      message: expect.stringMatching(/channel_not_found/),
    });
    expect(await verdicts()).toEqual(['a complete learning', 'b complete learning']);
    slack.answerAll('ok');
    expect(await report(9)).toMatchObject({ changed: 2 });
    // A later report has included the refused one, so a repeated run posts nothing.
    expect(await report(8)).toMatchObject({ outcome: 'overtaken' });
    expect(headlines()).toHaveLength(2);
  });

  test('is posted again with the same text if the worker is killed after the post', async () => {
    await mergeDaily(database, 0, 2);
    const dying: Database = {
      ...database,
      transaction: (work) =>
        slack.messages.length === 1 ? Promise.reject(new Error('killed')) : database.transaction(work),
    };
    await expect(reporter({}, { database: dying })(2)).rejects.toThrow('killed');
    await mergeRecords(database, 2.6, recordBetween(podIn('x'), podIn('y')));
    expect(await reporter()(3, 'completeness/2')).toMatchObject({ outcome: 'posted', namespaces: 2 });
    expect(slack.messages).toHaveLength(2);
    expect(posted()[1]).toEqual(posted()[0]);
    expect(await reporter()(3)).toMatchObject({ changes: ['x: new -> learning', 'y: new -> learning'] });
  });

  test('is printed and not posted in a dry run', async () => {
    await mergeDaily(database, 0, 2);
    expect(await reporter({ DRY_RUN: '1' })(2)).toMatchObject({ outcome: 'printed' });
    expect(await verdicts()).toEqual(['a learning', 'b learning']);
    expect(await reporter()(3)).toMatchObject({ outcome: 'posted' });
    expect(headlines()).toEqual([first]);
  });

  test('is stored once by two concurrent workers', async () => {
    await mergeDaily(database, 0, 2);
    await storeSettled(database, 2.5);
    const clock = fixedClock(2.5);
    const deps = { ...testDeps(database, clock), config: config(clock) };
    await Promise.all([1, 2, 3].map(() => reportCompleteness(deps, { reportId: 'completeness/2' })));
    expect(await database.query('select report_id from completeness_report')).toHaveLength(1);
    expect(new Set(posted().map((message) => JSON.stringify(message))).size).toBe(1);
  });
});

describe('the workflow', () => {
  let worker: JobWorker;
  let posts: string[];
  const start = async (days: number) => {
    const clock = fixedClock(days);
    const { jobMetrics } = testDeps(database, clock);
    posts = [];
    worker = await JobWorker.start(
      inject('temporalAddress'),
      database,
      {},
      { config: config(clock), jobMetrics: { ...jobMetrics, slackMessage: (result) => posts.push(result) } },
    );
  };
  afterEach(() => worker.close());

  test('run twice for the same nominal time posts once', async () => {
    await mergeDaily(database, 0, 3);
    await storeSettled(database, 3);
    await start(3);
    const handle = await worker.client.schedule.create({
      scheduleId: `completeness-${randomUUID()}`,
      spec: { cronExpressions: ['30 7 * * *'], timezone: 'Europe/London' },
      action: {
        type: 'startWorkflow',
        workflowType: jobs.completeness.workflowType,
        taskQueue: worker.taskQueue,
      },
      state: { paused: true },
    });
    const morning = { start: new Date('2026-11-05T07:29:00Z'), end: new Date('2026-11-05T07:31:00Z') };
    const results: unknown[] = [];
    for (let run = 1; run <= 2; run += 1) {
      await handle.backfill({ ...morning, overlap: ScheduleOverlapPolicy.ALLOW_ALL });
      const { workflowId, firstExecutionRunId } = await until(`run ${run} has started`, async () => {
        const { info } = await handle.describe();
        return info.recentActions.length === run ? info.recentActions.at(-1)?.action.workflow : undefined;
      });
      results.push(await worker.client.workflow.getHandle(workflowId, firstExecutionRunId).result());
    }
    expect(results).toMatchObject([
      { reportId: 'completeness/2026-11-05T07:30:00Z', outcome: 'posted', namespaces: 2 },
      { reportId: 'completeness/2026-11-05T07:30:00Z', outcome: 'posted before' },
    ]);
    expect(headlines()).toEqual([first]);
    await handle.delete();
  });

  test('retries transient failures, and its result describes the report', async () => {
    await mergeDaily(database, 0, 3);
    await storeSettled(database, 3);
    await start(3);
    slack.answerAll({ status: 503, body: '' });
    const running = worker.run('completeness');
    await until('Slack refused a post', () => posts.includes('unavailable') || undefined);
    slack.answerAll('ok');
    expect(await running).toEqual({
      result: {
        reportId: expect.stringMatching(/^completeness\/\d{4}-/),
        outcome: 'posted',
        madeAt: '2026-11-05T00:00:00.000Z',
        namespaces: 2,
        verdicts: { complete: 0, unstable: 0, learning: 2, stale: 0 },
        coveredDays: 3,
        uncoveredDays: 0,
        changed: 0,
        changes: [],
      },
    });
  });

  test('fails with Slack’s answer and its cure', async () => {
    await mergeDaily(database, 0, 3);
    await storeSettled(database, 3);
    await start(3);
    slack.answerAll({ status: 410, body: 'channel_is_archived' });
    expect(await worker.run('completeness')).toMatchObject({
      failed: 'slack_channel_is_archived',
      message: expect.stringContaining('#alerts is archived'),
    });
  });
});
