import { assessCompleteness, type CompletenessReport } from '../reports/completeness.ts';
import { readCoverage } from '../trail/coverage-ranges/coverage.ts';
import { markRecentStreamedAsPending } from '../trail/coverage-ranges/due-buckets.ts';
import { readObservations } from '../trail/facts/namespace-observations.ts';
import type { Config } from '../config/config.ts';
import type { Query } from '../trail/database/database.ts';

/** Reads the current report. Read-only. @throws DatabaseFailure */
export async function readCompleteness({
  database,
  config,
}: {
  database: { query: Query };
  config: Pick<Config, 'jobs' | 'clock'>;
}): Promise<CompletenessReport> {
  const nowSeconds = config.clock.now() / 1000;
  const { minimumDays, stableDays, staleDays } = config.jobs.completeness;
  return assessCompleteness({
    observations: await readObservations(database.query),
    coverage: markRecentStreamedAsPending(await readCoverage(database.query, 0, nowSeconds), nowSeconds),
    nowSeconds,
    timeZone: config.jobs.timeZone,
    thresholds: { minimumDays, stableDays, staleDays },
  });
}
