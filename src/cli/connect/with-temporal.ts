import type { Client } from '@temporalio/client';
import { isFailure } from '../../failure/failure.ts';
import type { EncryptionCodec } from '../../temporal/codec.ts';
import { connectClient, temporalAddress, temporalNamespace } from '../../temporal/connection.ts';
import { explainNoResponse } from '../../temporal/explain-failure.ts';
import { temporalConfig } from '../../temporal/settings.ts';

const responseTimeoutMs = 10_000;

interface OpenTemporal {
  readonly client: Client;
  readonly codec: EncryptionCodec;
  /** Runs calls that must all respond within ten seconds. */
  readonly inTime: <Answer>(ask: () => Promise<Answer>) => Promise<Answer>;
}

/**
 * Connects to the Temporal of the settings while `work` runs.
 * @throws ConfigFailure, TemporalFailure, and the failures of `work`
 */
export async function withTemporal<Result>(
  work: (temporal: OpenTemporal) => Promise<Result>,
): Promise<Result> {
  const config = temporalConfig();
  const { client, connection, codec } = await connectClient(config);
  const inTime: OpenTemporal['inTime'] = (ask) =>
    connection.withDeadline(Date.now() + responseTimeoutMs, ask);
  try {
    return await work({ client, codec, inTime });
  } catch (error) {
    throw isFailure(error)
      ? error
      : explainNoResponse(temporalAddress(config), temporalNamespace(config), error);
  } finally {
    await connection.close();
  }
}
