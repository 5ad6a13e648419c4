import { errorCode } from '../failure/thrown.ts';
import { isReceiverFailure, receiverFailure, type ReceiverFailure } from './failure.ts';

/** Longer delays requested by a receiver are reduced to this, because Goldmane keeps records for only one hour. */
const longestWaitMs = 10 * 60_000;

/** The delay in the header Retry-After, seconds or a date (RFC 9110); undefined if it is missing or invalid. */
export function retryAfterMs(header: string | undefined, nowMs: number): number | undefined {
  const text = header?.trim() ?? '';
  if (text === '') return undefined;
  const ms = /^[0-9]+$/.test(text) ? Number(text) * 1_000 : dateMs(text) - nowMs;
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(0, ms), longestWaitMs);
}

/** Stricter than `Date.parse`, which accepts "soon 5". */
function dateMs(text: string): number {
  return /^[A-Z][a-z]+,? .*\d\d:\d\d:\d\d/.test(text) ? Date.parse(text) : Number.NaN;
}

/** Alerts that the receiver sends when it rejects our certificate. */
const oursRefused = /^ERR_SSL_.*ALERT_(BAD_|UNSUPPORTED_)?(CERTIFICATE|UNKNOWN_CA|ACCESS_DENIED)/;
const untrusted =
  /^(CERT_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|ERR_TLS_CERT|HOSTNAME_MISMATCH|INVALID_CA|ERR_SSL_.*(CERT|UNKNOWN_CA))/;
const wrongProtocol =
  /^(EPROTO|HPE_|ERR_SSL_WRONG_VERSION|ERR_SSL_PACKET|ERR_SSL_HTTP_REQUEST|ERR_SSL_.*PROTOCOL)/;

/** Explains why a request got no response. @param protocol `http:` or `https:` */
export function connectionFailure(name: string, protocol: string, error: unknown): ReceiverFailure {
  if (isReceiverFailure(error)) return error;
  const code = errorCode(error, 'no code');
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return receiverFailure({
      kind: 'dns',
      what: `the host name of the receiver ${name} cannot be resolved (${code})`,
      cure: 'Correct OTLP_LOGS_ENDPOINT, or allow DNS in the NetworkPolicy',
    });
  if (code === 'ECONNREFUSED')
    return receiverFailure({
      kind: 'connection_refused',
      what: `connection refused: nothing is listening at the receiver address ${name}`,
      cure: 'Start the receiver, or correct the port in OTLP_LOGS_ENDPOINT (4318 for a Collector)',
    });
  if (oursRefused.test(code))
    return receiverFailure({
      kind: 'refused',
      what: `the receiver ${name} does not accept the client certificate (${code})`,
      cure: 'Set OTLP_LOGS_CERT_FILE and OTLP_LOGS_KEY_FILE to a certificate that its CA signed; they are read again at the next attempt',
    });
  if (code === 'HPE_HEADER_OVERFLOW')
    return receiverFailure({
      kind: 'not_otlp',
      what: `the receiver ${name} returned more than 16 KiB of headers`,
      cure: 'Check OTLP_LOGS_ENDPOINT, and proxies in between',
    });
  if (untrusted.test(code))
    return receiverFailure({
      kind: 'untrusted',
      what: `the certificate of the receiver ${name} cannot be verified (${code})`,
      cure: 'Add the CA that signed it to OTLP_LOGS_CA_FILE, and use a host name that is on the certificate',
    });
  if (wrongProtocol.test(code))
    return receiverFailure({
      kind: 'not_otlp',
      what: `the receiver ${name} does not speak ${protocol.slice(0, -1)} on this port (${code})`,
      cure: 'Use https:// if the receiver uses TLS and http:// if not, with its port for OTLP/HTTP, usually 4318',
    });
  return receiverFailure({
    kind: 'unreachable',
    what: `the receiver ${name} cannot be reached, or closed the connection (${code})`,
    cure: 'Check the receiver and its log, and that the NetworkPolicy allows egress to it',
  });
}
