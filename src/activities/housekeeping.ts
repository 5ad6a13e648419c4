import { ApplicationFailure } from '@temporalio/common';
import { daySeconds, hourSeconds } from '../time/units.ts';
import { coarsenCoverage } from '../trail/coverage-ranges/coarsen-coverage.ts';
import { forgetReports } from '../trail/jobs/completeness-reports.ts';
import { forgetExportMarks } from '../trail/export/export-marks.ts';
import { expireLedger } from '../trail/merge/ledger.ts';
import { foldRarePorts } from '../trail/facts/fold-rare-ports.ts';
import { forgetDigestMessages } from '../trail/jobs/forget-digest-messages.ts';
import { rollFactDays } from '../trail/facts/roll-fact-days.ts';
import { readLastVerification, recordVerification, verify, type Difference } from '../trail/verify.ts';
import { toActivityFailure } from '../temporal/activity-failure.ts';
import type { JobDeps } from './deps.ts';
/** Less than a week, so that a daily run that starts slightly earlier than the one a week ago still verifies. */
const verifyEverySeconds = 7 * daySeconds - hourSeconds;

/** Counts of deleted and merged rows, and whether the tables agree. */
export interface HousekeepingResult {
  /** Buckets whose hashes were deleted, not counting those that merging deletes. */
  ledgerBuckets: number;
  /** Settled coverage ranges merged with their neighbours; gaps are unchanged. */
  coverageStretches: number;
  completenessReports: number;
  /** Digest messages; the record of announced edges stays. */
  digestMessages: number;
  /** Facts of single ports that were folded into "many" because their pair had more than PORT_CAP. */
  foldedPorts: number;
  /** Days of facts that were rolled up by month. */
  factDays: number;
  /** Checked once a week; `not due` on other days. */
  verified: 'not due' | 'all tables agree';
}

/**
 * Deletes or compacts rows by the retention settings, and verifies the tables once a week. Each part is idempotent.
 * @throws ApplicationFailure, retryable; `trail_differs`, not retryable
 */
export async function applyRetention({ database, config, log }: JobDeps): Promise<HousekeepingResult> {
  const { ledgerHours, coverageDays, reportDays, factDays } = config.jobs.retention;
  const nowSeconds = config.clock.now() / 1000;
  const reportsBefore = nowSeconds - reportDays * daySeconds;
  let differences: Difference[] | undefined;
  try {
    const changed = {
      ledgerBuckets: await expireLedger(database, ledgerHours * hourSeconds),
      coverageStretches: await coarsenCoverage(database, nowSeconds - coverageDays * daySeconds),
      completenessReports: await forgetReports(database.query, reportsBefore),
      digestMessages: await forgetDigestMessages(database.query, reportsBefore),
      foldedPorts: await foldRarePorts(database, config.portCap, nowSeconds),
      factDays: await rollFactDays(database.query, nowSeconds - factDays * daySeconds),
      exportMarks: await forgetExportMarks(database.query),
    };
    const lastVerified = (await readLastVerification(database.query))?.getTime() ?? Number.NEGATIVE_INFINITY;
    if (nowSeconds - lastVerified / 1000 >= verifyEverySeconds) {
      differences = await verify(database);
      await recordVerification(database.query, differences, nowSeconds);
    }
    const result: HousekeepingResult = {
      ...changed,
      verified: differences === undefined ? 'not due' : 'all tables agree',
    };
    if (differences === undefined || differences.length === 0) {
      log.info(result, 'Housekeeping finished');
      return result;
    }
  } catch (error) {
    throw toActivityFailure(error);
  }
  log.error({ differences }, 'Tables are inconsistent');
  throw ApplicationFailure.nonRetryable(
    `Tables are inconsistent: ${differences.map(({ rule, rows }) => `${rule} (${rows} rows)`).join('; ')}. Run flow-trail verify and report a bug with its output.`,
    'trail_differs',
  );
}
