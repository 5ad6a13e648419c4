import { ApplicationFailure } from '@temporalio/common';
import type { CertificateReport } from '../../src/reports/certificate-report.ts';
import type { FreshnessReport } from '../../src/activities/freshness.ts';
import type { JobScenario } from './job-scenario.ts';

const certificates = (
  state: CertificateReport['state'],
  severity: CertificateReport['severity'],
): CertificateReport => ({
  state,
  severity,
  findings: [{ state, severity, what: 'What is so', cure: 'What cures it' }],
  host: 'goldmane:7443',
  handshake: 'accepted',
  notAfter: {},
  daysLeft: {},
  operatorSecret: 'same',
});

const freshness = (
  state: FreshnessReport['state'],
  severity: FreshnessReport['severity'],
): FreshnessReport => ({
  state,
  severity,
  what: 'What is so.',
  cause: 'Why.',
  remembered: 'Until when.',
  minutes: 46,
});

const channelNotFound = () =>
  Promise.reject(ApplicationFailure.nonRetryable('channel not found', 'slack_channel_not_found'));
const databaseLost = () =>
  Promise.reject(ApplicationFailure.nonRetryable('the database is away', 'database_connection_refused'));

/** The shapes of history of certificates and freshness. */
export const watchScenarios: readonly JobScenario[] = [
  {
    name: 'certificates-good',
    job: 'certificates',
    activities: {
      inspectCertificates: () => Promise.resolve(certificates('good', 'good')),
      tellCertificates: () => Promise.resolve('unchanged'),
    },
  },
  {
    name: 'certificates-stale',
    job: 'certificates',
    activities: {
      inspectCertificates: () => Promise.resolve(certificates('stale_copy', 'critical')),
      tellCertificates: () => Promise.resolve('posted'),
    },
  },
  {
    name: 'certificates-stale-not-posted',
    job: 'certificates',
    activities: {
      inspectCertificates: () => Promise.resolve(certificates('stale_copy', 'critical')),
      tellCertificates: channelNotFound,
    },
  },
  {
    name: 'freshness-good',
    job: 'freshness',
    activities: {
      checkFreshness: () => Promise.resolve(freshness('good', 'good')),
      tellFreshness: () => Promise.resolve('unchanged'),
    },
  },
  {
    name: 'freshness-stalled',
    job: 'freshness',
    activities: {
      checkFreshness: () => Promise.resolve(freshness('stalled', 'critical')),
      tellFreshness: () => Promise.resolve('posted'),
    },
  },
  {
    name: 'freshness-database-away',
    job: 'freshness',
    activities: {
      checkFreshness: databaseLost,
      tellDatabaseAway: () =>
        Promise.resolve({ since: '2026-11-24T08:00:00.000Z', alerted: 'warned' as const }),
    },
  },
  {
    name: 'freshness-database-away-not-posted',
    job: 'freshness',
    activities: { checkFreshness: databaseLost, tellDatabaseAway: channelNotFound },
  },
];
