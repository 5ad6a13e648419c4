import { status } from '@grpc/grpc-js';
import { isGrpcServiceError } from '@temporalio/client';
import type { ClientConnectConfig } from '@temporalio/envconfig';
import { NamespaceNotFoundError } from '@temporalio/common';
import { errorLine } from '../failure/thrown.ts';
import { isUntrusted } from '../failure/untrusted-certificate.ts';
import { repeatedSubjects } from '../text/pem.ts';
import { caOf, clientCertificateTimes } from './credentials.ts';
import { temporalFailure, isTemporalFailure, type TemporalFailure } from './failure.ts';
import { dial } from './dial.ts';

const noResponseCodes = new Set([status.UNAVAILABLE, status.DEADLINE_EXCEEDED]);
const refusalCodes = new Set([status.PERMISSION_DENIED, status.UNAUTHENTICATED]);

/** Explains why connecting failed. The client reports only a timeout, so this connects once more itself. */
export async function explainNoConnection(
  options: ClientConnectConfig['connectionOptions'],
  namespace: string,
  error: unknown,
): Promise<TemporalFailure> {
  const address = options.address ?? 'localhost:7233';
  // The client wraps the server's response in its own error.
  const reason = reasonOf(error);
  const isAnswer = isGrpcServiceError(error) && !noResponseCodes.has(error.code);
  const isRefusal = isGrpcServiceError(reason) && refusalCodes.has(reason.code);
  if (isAnswer || isRefusal) return explainNoResponse(address, namespace, reason);
  return (
    (await explainDial(options)) ??
    temporalFailure(
      'not_temporal',
      `The server at ${address} accepts connections but does not respond like Temporal's gRPC frontend (${errorLine(error)})`,
      'check that it does not hang and is not overloaded, that TEMPORAL_ADDRESS names the frontend, and that TEMPORAL_TLS matches it: true if the server uses TLS, false if not',
    )
  );
}

/** Connects to find out why calls fail. @returns undefined when the server accepts the connection */
export async function explainDial(
  options: ClientConnectConfig['connectionOptions'],
): Promise<TemporalFailure | undefined> {
  const address = options.address ?? 'localhost:7233';
  const result = await dial(options);
  switch (result.step) {
    case 'connected':
      return undefined;
    case 'dns':
      return temporalFailure(
        'dns',
        `The host name of Temporal (${address}) cannot be resolved (${result.code})`,
        'correct TEMPORAL_ADDRESS, or the DNS of this pod',
      );
    case 'tcp':
      return result.code === 'ECONNREFUSED'
        ? temporalFailure(
            'connection_refused',
            `Connection refused: nothing is listening at ${address}`,
            'start Temporal, or correct TEMPORAL_ADDRESS; after a restart of Temporal, the connection recovers automatically',
          )
        : temporalFailure(
            'unreachable',
            `Temporal at ${address} cannot be reached (${result.code})`,
            'check that it is running, that TEMPORAL_ADDRESS is correct, and that no NetworkPolicy drops the packets',
          );
    case 'tls':
      return explainTls(address, result, options);
  }
}

const serverCa = 'TEMPORAL_TLS_SERVER_CA_CERT_PATH';
const clientFiles = 'TEMPORAL_TLS_CLIENT_CERT_PATH and TEMPORAL_TLS_CLIENT_KEY_PATH';

function explainTls(
  address: string,
  { code, message }: { code: string; message: string },
  options: ClientConnectConfig['connectionOptions'],
): TemporalFailure {
  switch (code) {
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return temporalFailure(
        'wrong_server_name',
        `The certificate of Temporal at ${address} is for a different host name (${message})`,
        'set TEMPORAL_TLS_SERVER_NAME to a name on the certificate',
      );
    case 'CERT_HAS_EXPIRED':
    case 'CERT_NOT_YET_VALID':
      return temporalFailure(
        'server_certificate_expired',
        `The certificate of Temporal at ${address}, or a CA above it, ${code === 'CERT_HAS_EXPIRED' ? 'has expired' : 'is not valid yet'}`,
        `renew it on the server, replace an expired CA in the file set by ${serverCa}, or correct this machine's clock`,
      );
    case 'CERT_SIGNATURE_FAILURE': {
      const [repeated] = repeatedSubjects(caOf(options));
      if (repeated !== undefined)
        return temporalFailure(
          'server_untrusted',
          `The CA file contains several CAs named ${repeated}. OpenSSL tries only the first one, which did not sign the certificate of Temporal at ${address} (${code})`,
          `remove CAs of that name that are no longer used from the file set by ${serverCa}, or put the one that signed the certificate first; the file is read again twice a minute`,
        );
      break;
    }
  }
  if (isUntrusted(code))
    return temporalFailure(
      'server_untrusted',
      `The CA file does not verify the certificate of Temporal at ${address} (${code})`,
      `add the CA that signed it to the file set by ${serverCa}; the file is read again twice a minute`,
    );
  if (/alert|ECONNRESET/i.test(`${code} ${message}`)) {
    const [own, now] = [clientCertificateTimes(options), new Date()];
    if (own && (own.notAfter < now || own.notBefore > now))
      return temporalFailure(
        'client_certificate_expired',
        `Temporal at ${address} rejected the client certificate, which ${own.notAfter < now ? `expired at ${own.notAfter.toISOString()}` : `is not valid before ${own.notBefore.toISOString()}`} (${code})`,
        `renew the files of ${clientFiles}; they are read again twice a minute`,
      );
    return temporalFailure(
      'client_certificate_refused',
      own
        ? `Temporal at ${address} rejected the client certificate, which is valid until ${own.notAfter.toISOString()} (${code})`
        : `Temporal at ${address} requires a client certificate, but none is set (${code})`,
      own
        ? `renew the files of ${clientFiles}; they are read again twice a minute`
        : `mount the certificate and its key, and set ${clientFiles}`,
    );
  }
  return temporalFailure(
    'tls',
    `The TLS handshake with Temporal at ${address} failed (${code})`,
    'check TEMPORAL_TLS and the files in TEMPORAL_TLS_*_PATH; if the server does not use TLS, set TEMPORAL_TLS=false',
  );
}

/** Explains why a call over an open connection failed. */
export function explainNoResponse(address: string, namespace: string, error: unknown): TemporalFailure {
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
        `Temporal at ${address} denied access to namespace ${namespace} (${errorLine(reason)})`,
        'renew the API key (TEMPORAL_API_KEY or TEMPORAL_API_KEY_FILE) or the client certificate (TEMPORAL_TLS_CLIENT_CERT_PATH)',
      );
    case status.UNAVAILABLE:
    case status.DEADLINE_EXCEEDED:
    case status.CANCELLED:
      // CANCELLED: the client stopped waiting.
      return temporalFailure(
        'unavailable',
        `Temporal at ${address} does not respond (${errorLine(reason)})`,
        'check that it is running and can reach its own database; the call is retried',
      );
    default:
      return temporalFailure(
        'unexpected',
        `Temporal at ${address}, namespace ${namespace}, returned an error (${errorLine(reason)})`,
        'check its log, TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE',
      );
  }
}

/** The client wraps the server's or the connection's error in one that names the call. */
function reasonOf(error: unknown): unknown {
  return error instanceof Error && error.cause !== undefined ? reasonOf(error.cause) : error;
}
