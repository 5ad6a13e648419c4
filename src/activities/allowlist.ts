import { ApplicationFailure } from '@temporalio/common';
import { parseAllowlistInput } from '../policy/derive/input.ts';
import { storeAllowlist } from '../trail/jobs/allowlist-store.ts';
import { toActivityFailure } from '../temporal/activity-failure.ts';
import type { JobDeps } from './deps.ts';
import { makeAllowlist, type AllowlistSummary } from '../queries/allowlist.ts';

/**
 * Validates the input, derives an allowlist and stores its artefacts in Postgres. The same evidence gives the same
 * `allowlistId`, so a retry stores nothing twice.
 * @param requested input of the workflow, not validated
 * @param defaultUntil ISO time; end of the period if the input has none
 * @throws ApplicationFailure `bad_input`, not retried, naming each wrong field; or `database_<kind>`, always retried
 */
export async function deriveAllowlist(
  { config, database }: JobDeps,
  requested: unknown,
  defaultUntil: string,
): Promise<AllowlistSummary> {
  const parsed = parseAllowlistInput(requested);
  if ('problems' in parsed)
    throw ApplicationFailure.create({
      type: 'bad_input',
      message: `The input of deriveAllowlist is wrong: ${parsed.problems.join('. ')}`,
      nonRetryable: true,
    });
  const input = { ...parsed.input, until: parsed.input.until ?? defaultUntil };
  try {
    const { summary, artefacts } = await makeAllowlist(database.query, input, {
      identityLabel: config.identity.label,
      clusterName: config.clusterName,
      thresholds: config.jobs.completeness,
      dnsAddresses: config.dnsAddresses,
    });
    await storeAllowlist(database, { allowlistId: summary.allowlistId, input, summary }, artefacts);
    return summary;
  } catch (error) {
    throw toActivityFailure(error);
  }
}
