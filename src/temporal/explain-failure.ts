import { lookup } from 'node:dns/promises';
import { connect } from 'node:net';
import { status } from '@grpc/grpc-js';
import { isGrpcServiceError } from '@temporalio/client';
import { NamespaceNotFoundError } from '@temporalio/common';
import { temporalFailure, isTemporalFailure, type TemporalFailure } from './failure.ts';

const dialTimeoutMs = 3_000;
const defaultPort = 7_233;

/** Why no connection came about. The client only says that there was none in time, so somebody else has to look. */
export async function explainNoConnection(
  address: string,
  namespace: string,
  error: unknown,
): Promise<TemporalFailure> {
  // It was there, and said no.
  if (
    isGrpcServiceError(error) &&
    error.code !== status.UNAVAILABLE &&
    error.code !== status.DEADLINE_EXCEEDED
  )
    return explainNoAnswer(address, namespace, error);
  const code = await dial(address);
  switch (code) {
    case undefined:
      return temporalFailure(
        'not_temporal',
        `What answers at ${address} does not speak Temporal's gRPC as it is spoken to (${firstLine(error)})`,
        'see that TEMPORAL_ADDRESS is the frontend, and that TEMPORAL_TLS and TEMPORAL_TLS_* fit it: with TLS if it has TLS, without if not',
      );
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return temporalFailure(
        'dns',
        `The name of Temporal, ${address}, does not resolve (${code})`,
        'correct TEMPORAL_ADDRESS, or the DNS of this pod',
      );
    case 'ECONNREFUSED':
      return temporalFailure(
        'connection_refused',
        `Connection refused: no Temporal listens at ${address}`,
        'start it, or correct TEMPORAL_ADDRESS; after a restart of Temporal this passes by itself',
      );
    default:
      return temporalFailure(
        'unreachable',
        `Temporal at ${address} cannot be reached (${code})`,
        'see that it runs, that TEMPORAL_ADDRESS is right, and that no NetworkPolicy drops the packets',
      );
  }
}

/** Why a call over a connection that stands was not answered as hoped. */
export function explainNoAnswer(address: string, namespace: string, error: unknown): TemporalFailure {
  if (isTemporalFailure(error)) return error;
  const reason = reasonOf(error);
  const code =
    reason instanceof NamespaceNotFoundError
      ? status.NOT_FOUND
      : isGrpcServiceError(reason)
        ? reason.code
        : undefined;
  switch (code) {
    case status.NOT_FOUND:
      return temporalFailure(
        'no_namespace',
        `Temporal at ${address} has no namespace ${namespace}`,
        `create it (temporal operator namespace create --namespace ${namespace}), or correct TEMPORAL_NAMESPACE`,
      );
    case status.PERMISSION_DENIED:
    case status.UNAUTHENTICATED:
      return temporalFailure(
        'access_denied',
        `Temporal at ${address} refused us in namespace ${namespace} (${firstLine(reason)})`,
        'correct or renew TEMPORAL_API_KEY, or the client certificate of TEMPORAL_TLS_CLIENT_CERT_PATH',
      );
    case status.UNAVAILABLE:
    case status.DEADLINE_EXCEEDED:
    case status.CANCELLED:
      // Cancelled is what we did when no answer came.
      return temporalFailure(
        'unavailable',
        `Temporal at ${address} does not answer (${firstLine(reason)})`,
        'see whether it runs and reaches its own database; it is tried again',
      );
    default:
      return temporalFailure(
        'unexpected',
        `Temporal at ${address}, namespace ${namespace}, answered with an error (${firstLine(reason)})`,
        'see its log, and TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE',
      );
  }
}

/** The client wraps what the server or the connection said into what it was doing. */
function reasonOf(error: unknown): unknown {
  return error instanceof Error && error.cause !== undefined ? reasonOf(error.cause) : error;
}

/** @returns undefined when something accepts the connection, else the code of the error, or ETIMEDOUT */
async function dial(address: string): Promise<string | undefined> {
  const match = /^\[?([^\]]*?)\]?(?::(\d+))?$/.exec(address);
  const host = match?.[1] ?? address;
  try {
    await lookup(host);
    await accepted(host, Number(match?.[2] ?? defaultPort));
    return undefined;
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : firstLine(error);
  }
}

function accepted(host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, timeout: dialTimeoutMs });
    socket.once('connect', () => {
      socket.destroy();
      resolve();
    });
    socket.once('timeout', () => {
      socket.destroy();
      reject(new Error('ETIMEDOUT'));
    });
    socket.once('error', reject);
  });
}

function firstLine(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.split('\n')[0] ?? '';
}
