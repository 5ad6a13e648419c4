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

test('without settings, the jobs have the defaults of the runbook', () => {
  const { jobs } = loadConfig(enough);
  expect(jobs).toMatchObject({
    slack: { webhook: undefined, channel: '#alerts', dryRun: false },
    timeZone: 'Europe/London',
    crons: { digest: '0 8 * * *' },
    mapUrl: undefined,
    dataNamespaces: [
      'dbaas',
      'redis',
      'postgres',
      'postgresql',
      'mysql',
      'mariadb',
      'mongodb',
      'kafka',
      'rabbitmq',
      'minio',
      'vault',
    ],
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
  ['TIME_ZONE', 'Europe/Atlantis'],
  ['TIME_ZONE', ''],
  ['DIGEST_CRON', '0 8 * *'],
  ['DIGEST_CRON', '0 25 * * *'],
  ['DIGEST_CRON', '0 0 8 * * *'],
  ['DIGEST_CRON', '0 0 31 2 *'],
  ['FRESHNESS_CRON', 'often'],
  ['SLACK_CHANNEL', 'alerts'],
  ['SLACK_CHANNEL', '#a <!channel>'],
  ['SLACK_WEBHOOK_URL', 'hooks.slack.com/services/secret'],
  ['SLACK_WEBHOOK_URL', 'http://hooks.slack.com/services/secret'],
  ['DRY_RUN', 'perhaps'],
  ['MAP_URL', 'javascript:alert(1)'],
  ['CERTIFICATE_WARN_DAYS', '2', 'CERTIFICATE_CRITICAL_DAYS'],
  ['CERTIFICATE_WARN_DAYS', 'soon'],
  ['OPERATOR_SECRET', 'whisker-backend-key-pair'],
  ['COMPLETENESS_MINIMUM_DAYS', '6'],
  ['COMPLETENESS_REPORT_DAY', 'someday'],
  ['FRESHNESS_PAGE_MINUTES', '54'],
  ['FRESHNESS_WARN_MINUTES', '45'],
  ['LEDGER_KEEP_HOURS', '1'],
])('%s="%s" is rejected by name', (name, value, named = name) => {
  const problems = problemsOf({ [name]: value });
  expect(problems.map((problem) => problem.split(' ')[0])).toEqual([named]);
  expect(problems.join()).not.toContain('secret;');
  if (name === 'SLACK_WEBHOOK_URL') expect(problems.join()).not.toContain('services/secret');
});

test('wrong settings of the jobs are reported together with all others', () => {
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

test('an empty webhook counts as unset, and an empty operator secret is not read', () => {
  const { jobs } = loadConfig({ ...enough, SLACK_WEBHOOK_URL: '', OPERATOR_SECRET: '' });
  expect(jobs.slack.webhook).toBeUndefined();
  expect(jobs.certificates.operatorSecret).toBeUndefined();
});
