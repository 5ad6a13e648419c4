import type { AllowlistInput } from '../allowlist-input.ts';
import { storeAllowlist } from '../trail/allowlist-store.ts';
import { toActivityFailure } from './attempt.ts';
import type { Deps } from './deps.ts';
import { makeAllowlist, type AllowlistSummary } from './make-allowlist.ts';

/**
 * Derives an allowlist and keeps its artefacts in Postgres. Trying again, or asking again with the same evidence, keeps
 * one and the same. @throws ApplicationFailure of type `database_<kind>`, always retried
 */
export async function deriveAllowlist(
  { config, database }: Deps,
  input: AllowlistInput & { until: string },
): Promise<AllowlistSummary> {
  try {
    const { summary, artefacts } = await makeAllowlist(database.query, input, {
      identityLabel: config.identity.label,
      thresholds: config.jobs.completeness,
    });
    await storeAllowlist(database, { allowlistId: summary.allowlistId, input, summary }, artefacts);
    return summary;
  } catch (error) {
    throw toActivityFailure(error);
  }
}
