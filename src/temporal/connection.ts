import { createHash } from 'node:crypto';
import type { ClientConnectConfig } from '@temporalio/envconfig';
import { Client, Connection } from '@temporalio/client';
import type { NativeConnection } from '@temporalio/worker';
import { explainNoAnswer, explainNoConnection } from './explain-failure.ts';

const connectTimeoutMs = 5_000;
const answerTimeoutMs = 10_000;

/** A connection to Temporal, for a worker and for a client. */
export interface TemporalConnection {
  readonly client: Client;
  readonly native: NativeConnection;
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
    throw await explainNoConnection(config.connectionOptions, temporalNamespace(config), error);
  }
}

/** Connects worker and client, and checks that the namespace exists. @throws TemporalFailure */
async function connectBoth(config: ClientConnectConfig): Promise<TemporalConnection> {
  const namespace = temporalNamespace(config);
  const { client, connection } = await connectClient(config);
  try {
    await connection.withDeadline(Date.now() + answerTimeoutMs, () =>
      connection.workflowService.describeNamespace({ namespace }),
    );
    // Commands that only ask do not load the worker's native library.
    const { NativeConnection: WorkerConnection } = await import('@temporalio/worker');
    const native = await WorkerConnection.connect(config.connectionOptions);
    return {
      client,
      native,
      async close() {
        await connection.close();
        await native.close();
      },
    };
  } catch (error) {
    await connection.close();
    throw explainNoAnswer(temporalAddress(config), namespace, error);
  }
}

/**
 * The connection of a worker, which is replaced when the client certificate, its key, the CA or the API key changes: the
 * libraries read them only once. `client` and `native` always return the current one.
 */
export class Temporal {
  readonly address: string;
  readonly namespace: string;
  readonly #load: () => ClientConnectConfig;
  #current: TemporalConnection;
  #fingerprint: string;
  /** Replaced, but a call may still be under way on it. */
  readonly #former: TemporalConnection[] = [];

  private constructor(
    load: () => ClientConnectConfig,
    config: ClientConnectConfig,
    current: TemporalConnection,
  ) {
    this.#load = load;
    this.#current = current;
    this.#fingerprint = fingerprintOf(config);
    this.address = temporalAddress(config);
    this.namespace = temporalNamespace(config);
  }

  /** @param load reads the settings and the files that they name @throws ConfigFailure, TemporalFailure */
  static async connect(load: () => ClientConnectConfig): Promise<Temporal> {
    const config = load();
    return new Temporal(load, config, await connectBoth(config));
  }

  get client(): Client {
    return this.#current.client;
  }

  get native(): NativeConnection {
    return this.#current.native;
  }

  /**
   * Reads the files again and connects anew if their content differs. If that fails the former connection stays, and the
   * next call tries again.
   * @param use takes over the new connection; the former is closed by the call after this one
   * @returns whether the connection was replaced
   * @throws ConfigFailure, TemporalFailure
   */
  async refresh(use: (connection: TemporalConnection) => void): Promise<boolean> {
    while (this.#former.length > 0) await this.#former.shift()?.close();
    const config = this.#load();
    const fingerprint = fingerprintOf(config);
    if (fingerprint === this.#fingerprint) return false;
    const next = await connectBoth(config);
    try {
      use(next);
    } catch (error) {
      await next.close();
      throw error;
    }
    this.#former.push(this.#current);
    this.#current = next;
    this.#fingerprint = fingerprint;
    return true;
  }

  async close(): Promise<void> {
    for (const connection of [...this.#former.splice(0), this.#current]) await connection.close();
  }
}

/** What identifies the credentials without keeping a second copy of them. */
function fingerprintOf(config: ClientConnectConfig): string {
  return createHash('sha256').update(JSON.stringify(config)).digest('hex');
}
