import { expect, test } from 'vitest';
import { isConfigFailure } from '../../../src/config/config-failure.ts';
import { loadConfig } from '../../../src/config/config.ts';

const enough = { DATABASE_URL: 'postgres://u@h/d' };

function problemsOf(env: NodeJS.ProcessEnv): readonly string[] {
  try {
    loadConfig({ ...enough, ...env });
    return [];
  } catch (error) {
    if (isConfigFailure(error)) return error.problems;
    throw error;
  }
}

test('without any setting the jobs run as in the runbook', () => {
  const { jobs } = loadConfig(enough);
  expect(jobs).toMatchObject({
    slack: { webhook: undefined, channel: '#alerts', dryRun: false },
    timeZone: 'Europe/London',
    crons: { digest: '0 8 * * *' },
    mapUrl: undefined,
    certificates: {
      warnDays: 14,
      criticalDays: 3,
      operatorSecret: { namespace: 'calico-system', name: 'whisker-backend-key-pair' },
    },
    completeness: { minimumDays: 7, stableDays: 3, reportWeekday: 1 },
    freshness: { warnMinutes: 5, pageMinutes: 45 },
  });
});

test.each([
  ['TIME_ZONE', 'Europe/Atlantis', /^TIME_ZONE is no time zone; give an IANA name/],
  ['TIME_ZONE', '', /^TIME_ZONE is no time zone/],
  ['DIGEST_CRON', '0 8 * *', /^DIGEST_CRON is no cron expression of five fields; for example 0 8/],
  ['DIGEST_CRON', '0 25 * * *', /^DIGEST_CRON is no cron expression/],
  ['DIGEST_CRON', '0 0 8 * * *', /^DIGEST_CRON is no cron expression/],
  ['DIGEST_CRON', '0 0 31 2 *', /^DIGEST_CRON is no cron expression/],
  ['FRESHNESS_CRON', 'often', /^FRESHNESS_CRON is no cron expression/],
  ['SLACK_CHANNEL', 'alerts', /^SLACK_CHANNEL is no channel; give #name/],
  ['SLACK_CHANNEL', '#a <!channel>', /^SLACK_CHANNEL is no channel/],
  ['SLACK_WEBHOOK_URL', 'hooks.slack.com/services/secret', /^SLACK_WEBHOOK_URL is no https:\/\/ address/],
  ['SLACK_WEBHOOK_URL', 'http://hooks.slack.com/services/secret', /^SLACK_WEBHOOK_URL is no https/],
  ['DRY_RUN', 'perhaps', /^DRY_RUN is neither 1 nor 0/],
  ['MAP_URL', 'javascript:alert(1)', /^MAP_URL is no http:\/\/ or https:\/\/ address/],
  ['CERTIFICATE_WARN_DAYS', '2', /^CERTIFICATE_CRITICAL_DAYS is not below CERTIFICATE_WARN_DAYS/],
  [
    'CERTIFICATE_WARN_DAYS',
    'soon',
    /^CERTIFICATE_WARN_DAYS is not how many days ahead to warn; give a whole/,
  ],
  ['OPERATOR_SECRET', 'whisker-backend-key-pair', /^OPERATOR_SECRET is not namespace\/name of a Secret/],
  ['COMPLETENESS_MINIMUM_DAYS', '6', /^COMPLETENESS_MINIMUM_DAYS is not .* from 7 to 365/],
  ['COMPLETENESS_REPORT_DAY', 'someday', /^COMPLETENESS_REPORT_DAY is no day of the week; one of sunday/],
  ['FRESHNESS_PAGE_MINUTES', '54', /^FRESHNESS_PAGE_MINUTES is not .* from 2 to 53/],
  ['FRESHNESS_WARN_MINUTES', '45', /^FRESHNESS_WARN_MINUTES is not below FRESHNESS_PAGE_MINUTES/],
  ['LEDGER_KEEP_HOURS', '1', /^LEDGER_KEEP_HOURS is not .* from 2 to 168/],
])('%s="%s" is refused by name, with what cures it', (name, value, problem) => {
  const problems = problemsOf({ [name]: value });
  expect(problems).toEqual([expect.stringMatching(problem)]);
  expect(problems.join()).not.toContain('secret;');
  if (name === 'SLACK_WEBHOOK_URL') expect(problems.join()).not.toContain('services/secret');
});

test('all wrong settings of the jobs are told together, beside all others', () => {
  const problems = problemsOf({
    TIME_ZONE: 'nowhere',
    DIGEST_CRON: 'x',
    SLACK_CHANNEL: 'y',
    SLACK_WEBHOOK_URL: 'z',
    SLACK_WEBHOOK_URL_FILE: '/f',
    PORT_CAP: '0',
  });
  expect(problems.map((problem) => problem.split(' ')[0])).toEqual([
    'PORT_CAP',
    'SLACK_CHANNEL',
    'TIME_ZONE',
    'DIGEST_CRON',
    'SLACK_WEBHOOK_URL_FILE',
    'SLACK_WEBHOOK_URL',
  ]);
});

test('an empty webhook is no webhook, an empty operator secret is not looked at', () => {
  const { jobs } = loadConfig({ ...enough, SLACK_WEBHOOK_URL: '', OPERATOR_SECRET: '' });
  expect(jobs.slack.webhook).toBeUndefined();
  expect(jobs.certificates.operatorSecret).toBeUndefined();
});
