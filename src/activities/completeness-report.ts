import { assessCompleteness, type CompletenessReport } from '../reports/completeness.ts';
import { readCoverage } from '../trail/coverage.ts';
import { withOpenEnd } from '../trail/due.ts';
import { readObservations } from '../trail/observations.ts';
import type { Deps } from './deps.ts';

/** The report as it is known now. Changes nothing. @throws DatabaseFailure */
export async function readCompleteness({
  database,
  config,
}: {
  database: Pick<Deps['database'], 'query'>;
  config: Pick<Deps['config'], 'jobs' | 'clock'>;
}): Promise<CompletenessReport> {
  const nowSeconds = config.clock.now() / 1000;
  return assessCompleteness({
    observations: await readObservations(database.query),
    coverage: withOpenEnd(await readCoverage(database.query, 0, nowSeconds), nowSeconds),
    nowSeconds,
    timeZone: config.jobs.timeZone,
    thresholds: config.jobs.completeness,
  });
}
