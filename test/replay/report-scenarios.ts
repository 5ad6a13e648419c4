import { ApplicationFailure } from '@temporalio/common';
import type { CompletenessResult } from '../../src/activities/completeness.ts';
import type { AllowlistSummary } from '../../src/queries/allowlist.ts';
import type { JobScenario } from './job-scenario.ts';

const completeness: CompletenessResult = {
  reportId: 'completeness/2026-11-23T07:30:00Z',
  outcome: 'posted',
  madeAt: '2026-11-23T07:30:01.000Z',
  namespaces: 1,
  verdicts: { learning: 1, unstable: 0, complete: 0, stale: 0 },
  coveredDays: 1,
  uncoveredDays: 0,
  changed: 0,
  changes: [],
};

const allowlist: AllowlistSummary = {
  allowlistId: 'a1b2c3',
  format: 'kubernetes',
  files: 1,
  policies: 1,
  rules: 2,
  leftOut: 0,
  warnings: 0,
  notices: [],
  verdicts: { learning: 1, unstable: 0, complete: 0, stale: 0 },
  without: [],
  withoutCount: 0,
};

const databaseFull = ApplicationFailure.nonRetryable('The disk of the database is full', 'database_full');

/** The shapes of history of completeness, allowlist and housekeeping. */
export const reportScenarios: readonly JobScenario[] = [
  {
    name: 'completeness-posted',
    job: 'completeness',
    activities: { reportCompleteness: () => Promise.resolve(completeness) },
  },
  {
    name: 'completeness-failed',
    job: 'completeness',
    activities: { reportCompleteness: () => Promise.reject(databaseFull) },
  },
  {
    name: 'housekeeping-done',
    job: 'housekeeping',
    activities: {
      applyRetention: () =>
        Promise.resolve({
          ledgerBuckets: 4,
          coverageStretches: 0,
          completenessReports: 0,
          digestMessages: 0,
          foldedPorts: 0,
          factDays: 0,
          verified: 'not due',
        }),
    },
  },
  {
    name: 'housekeeping-failed',
    job: 'housekeeping',
    activities: { applyRetention: () => Promise.reject(databaseFull) },
  },
  {
    name: 'allowlist-derived',
    job: 'allowlist',
    args: [{ namespaces: ['immich'], until: '2026-11-23' }],
    activities: { deriveAllowlist: () => Promise.resolve(allowlist) },
  },
  {
    name: 'allowlist-of-all',
    job: 'allowlist',
    activities: { deriveAllowlist: () => Promise.resolve(allowlist) },
  },
  {
    name: 'allowlist-bad-input',
    job: 'allowlist',
    args: [{ namespace: 'immich' }],
    activities: {
      deriveAllowlist: () =>
        Promise.reject(
          ApplicationFailure.create({
            type: 'bad_input',
            message: 'namespace is unknown',
            nonRetryable: true,
          }),
        ),
    },
  },
];
