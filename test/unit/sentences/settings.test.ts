import { test } from 'vitest';
import { isConfigFailure } from '../../../src/config/config-failure.ts';
import { loadConfig } from '../../../src/config/config.ts';
import { expectSentences, type Sentences } from './sentences.ts';

const url = 'postgres://trail:secret@db.example:5432/goldmane_edges';

const wrong: readonly NodeJS.ProcessEnv[] = [
  { DATABASE_URL: undefined },
  { DATABASE_URL_FILE: '/secret/url' },
  { DATABASE_URL: 'mysql://a@b/c' },
  { DATABASE_URL: 'postgres://trail@db.example' },
  { DATABASE_URL: 'postgres://trail:%e9@db.example/edges' },
  { GOLDMANE_HOST: 'goldmane' },
  { GOLDMANE_HOST: 'https://goldmane:7443' },
  { GOLDMANE_TLS_INSECURE: 'perhaps' },
  { TLS_CERT_PATH: '' },
  { SERVICE_IDENTITY_LABEL: 'not a label' },
  { SERVICE_IDENTITY_NAMESPACES: 'Monitoring' },
  { PORT_CAP: '0' },
  { TEMPORAL_TASK_QUEUE: '' },
  { CLUSTER_NAME: 'Not a name' },
  { METRICS_PORT: '70000' },
  { METRICS_PORT: '8080' },
  { LISTEN_HOST: '' },
  { LOG_LEVEL: 'loud' },
  { FLOW_TRAIL_CLOCK: 'fast' },
  { TIME_ZONE: 'Europe/Atlantis' },
  { DIGEST_CRON: '0 8 * *' },
  { DIGEST_CRON: '0 25 * * *' },
  { DIGEST_CRON: '0 0 31 2 *' },
  { FRESHNESS_CRON: 'often' },
  { SLACK_CHANNEL: 'alerts' },
  { SLACK_WEBHOOK_URL: 'hooks.slack.com/services/secret' },
  { DRY_RUN: 'perhaps' },
  { MAP_URL: 'javascript:alert(1)' },
  { CERTIFICATE_WARN_DAYS: '2' },
  { CERTIFICATE_WARN_DAYS: 'soon' },
  { OPERATOR_SECRET: 'whisker-backend-key-pair' },
  { COMPLETENESS_MINIMUM_DAYS: '6' },
  { COMPLETENESS_REPORT_DAY: 'someday' },
  { FRESHNESS_PAGE_MINUTES: '54' },
  { FRESHNESS_WARN_MINUTES: '45' },
  { LEDGER_KEEP_HOURS: '1' },
];

test('of wrong settings', async () => {
  const said: Sentences = {};
  for (const env of wrong) {
    const setting = Object.entries(env)
      .map(([name, value]) => (value === undefined ? `${name} not set` : `${name}=${value}`))
      .join();
    said[setting] = problemsOf({ DATABASE_URL: url, ...env }).join('\n');
  }
  await expectSentences('settings', said);
});

function problemsOf(env: NodeJS.ProcessEnv): readonly string[] {
  try {
    loadConfig(env);
  } catch (error) {
    if (isConfigFailure(error)) return error.problems;
    throw error;
  }
  return ['(accepted)'];
}
