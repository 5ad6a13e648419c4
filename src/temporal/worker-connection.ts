import { createHash } from 'node:crypto';
import type { Client, WorkflowClientInterceptor } from '@temporalio/client';
import type { NativeConnection } from '@temporalio/worker';
import { isFailure, type Failure } from '../failure/failure.ts';
import type { EncryptionCodec } from './codec.ts';
import {
  codecOf,
  connectBoth,
  temporalAddress,
  temporalNamespace,
  type ClientParts,
  type TemporalConnection,
} from './connection.ts';
import { clientCertificateTimes } from './credentials.ts';
import { explainDial, explainNoResponse } from './explain-failure.ts';
import type { TemporalSettings } from './settings.ts';

/**
 * A worker's connection. It is replaced when the client certificate, its key, the CA or the API key changes, because
 * the libraries read them only once. `client` and `native` always return the current one.
 */
export class Temporal {
  readonly address: string;
  readonly namespace: string;
  readonly #parts: ClientParts;
  readonly #load: () => TemporalSettings;
  #current: TemporalConnection;
  #fingerprint: string;
  #certificateNotAfter: Date | undefined;
  /** Replaced, but calls may still be running on it. */
  readonly #former: TemporalConnection[] = [];

  private constructor(
    load: () => TemporalSettings,
    config: TemporalSettings,
    parts: ClientParts,
    current: TemporalConnection,
  ) {
    this.#load = load;
    this.#parts = parts;
    this.#current = current;
    this.address = temporalAddress(config);
    this.namespace = temporalNamespace(config);
    this.#fingerprint = fingerprintOf(this.#withTarget(config));
    this.#certificateNotAfter = clientCertificateTimes(config.connectionOptions)?.notAfter;
  }

  /**
   * @param load reads the settings and the files that they name
   * @param interceptor of the client
   * @throws ConfigFailure, TemporalFailure
   */
  static async connect(
    load: () => TemporalSettings,
    interceptor?: WorkflowClientInterceptor,
  ): Promise<Temporal> {
    const config = load();
    const parts = { codec: codecOf(config), interceptor };
    return new Temporal(load, config, parts, await connectBoth(config, parts));
  }

  /** For workers; the client uses the same one. */
  get codec(): EncryptionCodec {
    return this.#parts.codec;
  }

  get client(): Client {
    return this.#current.client;
  }

  /** When the client certificate in use expires; undefined if there is none. */
  get certificateNotAfter(): Date | undefined {
    return this.#certificateNotAfter;
  }

  get native(): NativeConnection {
    return this.#current.native;
  }

  /**
   * Reads the files again and opens a new connection if their content differs. If that fails, the current connection
   * stays in use and the next call retries.
   * @param use takes over the new connection; the next call closes the old one
   * @returns whether the connection was replaced
   * @throws ConfigFailure, TemporalFailure
   */
  async refresh(use: (connection: TemporalConnection) => void): Promise<boolean> {
    await this.#closeFormer();
    const config = this.#withTarget(this.#load());
    if (fingerprintOf(config) === this.#fingerprint) return false;
    await this.#replace(config, use);
    return true;
  }

  async #replace(config: TemporalSettings, use: (connection: TemporalConnection) => void): Promise<void> {
    const next = await connectBoth(config, this.#parts);
    try {
      use(next);
    } catch (error) {
      await next.close();
      throw error;
    }
    this.#former.push(this.#current);
    this.#current = next;
    this.#fingerprint = fingerprintOf(config);
    this.#certificateNotAfter = clientCertificateTimes(config.connectionOptions)?.notAfter;
  }

  async #closeFormer(): Promise<void> {
    while (this.#former.length > 0) await this.#former.shift()?.close();
  }

  /**
   * Explains why a call failed. If Temporal did not respond, it reads the files and connects once, because the error
   * itself does not distinguish a rotated CA from a server that is down.
   */
  async explain(error: unknown): Promise<Failure> {
    const failure = isFailure(error) ? error : explainNoResponse(this.address, this.namespace, error);
    if (failure.system !== 'temporal' || failure.kind !== 'unavailable') return failure;
    try {
      return (await explainDial(this.#withTarget(this.#load()).connectionOptions)) ?? failure;
    } catch (problem) {
      return isFailure(problem) ? problem : failure;
    }
  }

  /**
   * A worker keeps its address and namespace even if they change in a configuration file, because tasks are running.
   */
  #withTarget(config: TemporalSettings): TemporalSettings {
    return {
      ...config,
      namespace: this.namespace,
      connectionOptions: { ...config.connectionOptions, address: this.address },
    };
  }

  async close(): Promise<void> {
    for (const connection of [...this.#former.splice(0), this.#current]) await connection.close();
  }
}

/** A fingerprint of the credentials, to avoid keeping a second copy of them. */
function fingerprintOf(config: TemporalSettings): string {
  return createHash('sha256').update(JSON.stringify(config)).digest('hex');
}
