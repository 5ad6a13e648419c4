import { withBundleHistory, isGoldmaneFailure } from '../goldmane/failure.ts';
import type { GoldmaneConnection } from '../goldmane/connection.ts';
import { lastContact, recordContact } from '../trail/jobs/tls-contacts.ts';
import type { Attempt } from './attempt.ts';
import type { Deps } from './deps.ts';

/**
 * Connects to Goldmane with the current certificate files. A success is stored, so that a later rejection can be
 * explained as a stale certificate (this bundle has worked) or a wrong CA (it never worked).
 * @throws GoldmaneFailure
 */
export async function connect(
  deps: Deps,
  attempt: Attempt,
  signal: AbortSignal,
): Promise<GoldmaneConnection> {
  const { database, log, metrics, config } = deps;
  try {
    const connection = await attempt.waitFor(deps.connectGoldmane(signal));
    metrics.connected(attempt.reader, true);
    await attempt
      .waitFor(recordContact(database.query, connection.bundle, config.clock.now() / 1000))
      .catch((error: unknown) => log.debug({ err: error }, 'could not store that the certificates worked'));
    return connection;
  } catch (error) {
    metrics.connected(attempt.reader, false);
    if (!isGoldmaneFailure(error) || !error.bundle) throw error;
    const worked = await attempt.waitFor(lastContact(database.query, error.bundle)).catch(() => undefined);
    throw withBundleHistory(error, worked);
  }
}
