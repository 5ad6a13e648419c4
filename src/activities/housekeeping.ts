import { coarsenCoverage } from '../trail/coarsen-coverage.ts';
import { forgetReports } from '../trail/completeness-reports.ts';
import { expireLedger } from '../trail/coverage.ts';
import { forgetDigestMessages } from '../trail/forget-digest-messages.ts';
import { toActivityFailure } from '../temporal/activity-failure.ts';
import type { Deps } from '../ingest/deps.ts';

const hourSeconds = 3_600;
const daySeconds = 24 * hourSeconds;

/** How much was forgotten. */
export interface HousekeepingResult {
  /** Buckets whose hashes were dropped, beyond what the trail drops by itself. */
  ledgerBuckets: number;
  /** Stretches of settled time that were joined with their neighbours; gaps stay as they are. */
  coverageStretches: number;
  completenessReports: number;
  /** Messages of digests; that their edges were announced stays known. */
  digestMessages: number;
}

/** Forgets what the retention settings allow. Each part again changes nothing. @throws ApplicationFailure, to be retried */
export async function applyRetention({ database, config, log }: Deps): Promise<HousekeepingResult> {
  const { ledgerHours, coverageDays, reportDays } = config.jobs.retention;
  const nowSeconds = config.clock.now() / 1000;
  const reportsBefore = nowSeconds - reportDays * daySeconds;
  try {
    const result = {
      ledgerBuckets: await expireLedger(database, ledgerHours * hourSeconds),
      coverageStretches: await coarsenCoverage(database, nowSeconds - coverageDays * daySeconds),
      completenessReports: await forgetReports(database.query, reportsBefore),
      digestMessages: await forgetDigestMessages(database.query, reportsBefore),
    };
    log.info(result, 'housekeeping is done');
    return result;
  } catch (error) {
    throw toActivityFailure(error);
  }
}
