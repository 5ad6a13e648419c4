import type { ClientConnectConfig } from '@temporalio/envconfig';
import { Client, Connection } from '@temporalio/client';
import type { NativeConnection } from '@temporalio/worker';
import { explainNoAnswer, explainNoConnection } from './explain-failure.ts';

const connectTimeoutMs = 5_000;
const answerTimeoutMs = 10_000;

export interface Temporal {
  native: NativeConnection;
  client: Client;
  namespace: string;
  address: string;
  close(): Promise<void>;
}

export function temporalAddress(config: ClientConnectConfig): string {
  return config.connectionOptions.address ?? 'localhost:7233';
}

export function temporalNamespace(config: ClientConnectConfig): string {
  return config.namespace ?? 'default';
}

/** @throws TemporalFailure */
export async function connectClient(
  config: ClientConnectConfig,
): Promise<{ client: Client; connection: Connection }> {
  try {
    const connection = await Connection.connect({
      ...config.connectionOptions,
      connectTimeout: connectTimeoutMs,
    });
    return { connection, client: new Client({ connection, namespace: temporalNamespace(config) }) };
  } catch (error) {
    throw await explainNoConnection(temporalAddress(config), temporalNamespace(config), error);
  }
}

/** Connects worker and client, and makes sure that the namespace exists. @throws TemporalFailure */
export async function connectTemporal(config: ClientConnectConfig): Promise<Temporal> {
  const address = temporalAddress(config);
  const namespace = temporalNamespace(config);
  const { client, connection } = await connectClient(config);
  let native: NativeConnection | undefined;
  try {
    await connection.withDeadline(Date.now() + answerTimeoutMs, () =>
      connection.workflowService.describeNamespace({ namespace }),
    );
    // Who only asks needs no worker, and its native library takes a while to load.
    const { NativeConnection: WorkerConnection } = await import('@temporalio/worker');
    native = await WorkerConnection.connect(config.connectionOptions);
  } catch (error) {
    await connection.close();
    throw explainNoAnswer(address, namespace, error);
  }
  const worker = native;
  return {
    native: worker,
    client,
    namespace,
    address,
    async close() {
      await connection.close();
      await worker.close();
    },
  };
}
