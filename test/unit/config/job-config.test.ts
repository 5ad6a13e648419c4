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
  ['TIME_ZONE', 'Europe/Atlantis', /^TIME_ZONE "Europe\/Atlantis" is not an IANA zone name/],
  ['TIME_ZONE', '', /^TIME_ZONE "" is not/],
  ['DIGEST_CRON', '0 8 * *', /^DIGEST_CRON "0 8 \* \*" must have five fields/],
  ['DIGEST_CRON', '0 25 * * *', /^DIGEST_CRON .* hour/],
  ['DIGEST_CRON', '0 0 8 * * *', /^DIGEST_CRON .* five fields/],
  ['DIGEST_CRON', '0 0 31 2 *', /^DIGEST_CRON .* never runs/],
  ['FRESHNESS_CRON', 'often', /^FRESHNESS_CRON "often" /],
  ['SLACK_CHANNEL', 'alerts', /^SLACK_CHANNEL must be #name/],
  ['SLACK_CHANNEL', '#a <!channel>', /^SLACK_CHANNEL must be/],
  ['SLACK_WEBHOOK_URL', 'hooks.slack.com/services/secret', /^SLACK_WEBHOOK_URL is not an https:\/\/ address/],
  ['SLACK_WEBHOOK_URL', 'http://hooks.slack.com/services/secret', /^SLACK_WEBHOOK_URL is not an https/],
  ['DRY_RUN', 'perhaps', /^DRY_RUN must be 0 or 1/],
  ['MAP_URL', 'javascript:alert(1)', /^MAP_URL .*http:/],
  ['CERTIFICATE_WARN_DAYS', '2', /^CERTIFICATE_CRITICAL_DAYS must be less than CERTIFICATE_WARN_DAYS/],
  ['CERTIFICATE_WARN_DAYS', 'soon', /^CERTIFICATE_WARN_DAYS must be .*whole number/],
  ['OPERATOR_SECRET', 'whisker-backend-key-pair', /^OPERATOR_SECRET must be namespace\/name of a Secret/],
  ['COMPLETENESS_MINIMUM_DAYS', '6', /^COMPLETENESS_MINIMUM_DAYS .* from 7 to 365/],
  ['COMPLETENESS_REPORT_DAY', 'someday', /^COMPLETENESS_REPORT_DAY must be one of sunday/],
  ['FRESHNESS_PAGE_MINUTES', '54', /^FRESHNESS_PAGE_MINUTES .* from 2 to 53/],
  ['FRESHNESS_WARN_MINUTES', '45', /^FRESHNESS_WARN_MINUTES must be less than FRESHNESS_PAGE_MINUTES/],
  ['LEDGER_KEEP_HOURS', '1', /^LEDGER_KEEP_HOURS .* from 2 to 168/],
])('%s="%s" is refused with its name and the cure', (name, value, problem) => {
  const problems = problemsOf({ [name]: value });
  expect(problems).toEqual([expect.stringMatching(problem)]);
  expect(problems.join()).not.toContain('secret;');
  if (name === 'SLACK_WEBHOOK_URL') expect(problems.join()).not.toContain('services/secret');
});

test('all wrong settings of the jobs are reported together with all others', () => {
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
