import type { ClientConnectConfig } from '@temporalio/envconfig';
import {
  Client,
  Connection,
  defaultGrpcRetryOptions,
  makeGrpcRetryInterceptor,
  type WorkflowClientInterceptor,
} from '@temporalio/client';
import type { NativeConnection } from '@temporalio/worker';
import { errorText } from '../failure/thrown.ts';
import { failAfterClose } from './closed-channel.ts';
import { CodecKeys } from './codec-keys.ts';
import { EncryptionCodec } from './codec.ts';
import { explainNoResponse, explainNoConnection } from './explain-failure.ts';
import { temporalFailure } from './failure.ts';
import type { TemporalSettings } from './settings.ts';

const connectTimeoutMs = 5_000;
const responseTimeoutMs = 10_000;
/** The library's default of two minutes would delay the recovery after a long outage. */
const maxReconnectBackoffMs = 10_000;

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

export interface ClientParts {
  codec: EncryptionCodec;
  interceptor: WorkflowClientInterceptor | undefined;
}

/** @throws TemporalFailure `codec_keys` */
export function codecOf({ codecKeyFile }: TemporalSettings): EncryptionCodec {
  return new EncryptionCodec(codecKeyFile === undefined ? undefined : new CodecKeys(codecKeyFile));
}

/** @throws TemporalFailure */
export async function connectClient(
  config: TemporalSettings,
  codec = codecOf(config),
  interceptor?: WorkflowClientInterceptor,
): Promise<{ client: Client; connection: Connection; codec: EncryptionCodec }> {
  try {
    const connection = await Connection.connect({
      ...config.connectionOptions,
      connectTimeout: connectTimeoutMs,
      interceptors: [makeGrpcRetryInterceptor(defaultGrpcRetryOptions()), failAfterClose],
      channelArgs: {
        'grpc.max_reconnect_backoff_ms': maxReconnectBackoffMs,
        // The worker's library uses no proxy, so the client must not use that of the environment either.
        'grpc.enable_http_proxy': 0,
      },
    });
    const client = new Client({
      connection,
      namespace: temporalNamespace(config),
      dataConverter: { payloadCodecs: [codec] },
      ...(interceptor ? { interceptors: { workflow: [interceptor] } } : {}),
    });
    return { connection, client, codec };
  } catch (error) {
    throw await explainNoConnection(config.connectionOptions, temporalNamespace(config), error);
  }
}

/** Connects worker and client, and checks that the namespace exists. @throws TemporalFailure */
export async function connectBoth(
  config: TemporalSettings,
  { codec, interceptor }: ClientParts,
): Promise<TemporalConnection> {
  const namespace = temporalNamespace(config);
  const { client, connection } = await connectClient(config, codec, interceptor);
  try {
    await connection.withDeadline(Date.now() + responseTimeoutMs, () =>
      connection.workflowService.describeNamespace({ namespace }),
    );
    const native = await connectNative(config.connectionOptions);
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
    throw explainNoResponse(temporalAddress(config), namespace, error);
  }
}

async function connectNative(options: ClientConnectConfig['connectionOptions']): Promise<NativeConnection> {
  // Commands that only query Temporal do not load the worker's native library.
  const { NativeConnection: WorkerConnection } = await import('@temporalio/worker');
  try {
    return await WorkerConnection.connect(options);
  } catch (error) {
    // The client has just connected with the same files, so only the worker's TLS library rejects something.
    throw temporalFailure(
      'tls',
      `The worker's TLS library cannot connect to Temporal at ${options.address ?? 'localhost:7233'} (${firstLines(error)})`,
      'check the files in TEMPORAL_TLS_*_PATH: RSA keys need at least 2048 bits; certificates must be version 3 with subject alternative names',
    );
  }
}

function firstLines(error: unknown): string {
  const message = errorText(error);
  return message.split('\n').slice(0, 2).join(' ').slice(0, 300);
}
