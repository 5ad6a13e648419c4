import { isUntrusted } from '../failure/untrusted-certificate.ts';
import type { Certificates } from './certificates.ts';
import { goldmaneFailure, type GoldmaneFailure, type GoldmaneFailureDetails } from './failure.ts';
import { copyCertificatesAgain } from '../text/certificate-copies.ts';
import type { GoldmaneConfig } from '../config/goldmane-config.ts';
import { repeatedSubjects } from '../text/pem.ts';

/** An error between connecting and the first HTTP/2 frame; `code` is Node's or OpenSSL's. */
export interface DialError {
  readonly code: string;
  readonly message: string;
  /** Whether the TLS handshake had finished on our side: after that, the server closed the connection. */
  readonly wasSecure: boolean;
  /** The names on the server's certificate, if they were the problem. */
  readonly names?: string | undefined;
}

const CHECK_GOLDMANE =
  'Check that Goldmane is running (kubectl get goldmane -A; kubectl get pods -n calico-system) and that GOLDMANE_HOST is its address';

/** Alerts with which a server rejects the client's certificate, as in OpenSSL's error codes. */
const CERTIFICATE_ALERT =
  /ALERT_(CERTIFICATE_REQUIRED|BAD_CERTIFICATE|UNKNOWN_CA|CERTIFICATE_UNKNOWN|UNSUPPORTED_CERTIFICATE|CERTIFICATE_REVOKED|NO_CERTIFICATE|ACCESS_DENIED|DECRYPT_ERROR)$/;

/** Explains why a connection failed, and what to do. */
export function explainDialError(
  error: DialError,
  target: GoldmaneConfig,
  certificates: Certificates,
): GoldmaneFailure {
  return goldmaneFailure({
    ...classify(error, target, certificates),
    bundle: certificates.bundle,
    code: error.code,
  });
}

function classify(
  error: DialError,
  target: GoldmaneConfig,
  certificates: Certificates,
): GoldmaneFailureDetails {
  const { code } = error;
  const { host, caPath } = target;
  switch (code) {
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
    case 'EAI_FAIL':
    case 'EAI_NODATA':
    case 'EAI_NONAME':
      return {
        kind: 'dns',
        what: `The host name of Goldmane (${host}) cannot be resolved (${code})`,
        cure: `Check GOLDMANE_HOST, the DNS of this pod, and that Goldmane is enabled (kubectl get goldmane -A)`,
      };
    case 'ECONNREFUSED':
      return {
        kind: 'connection_refused',
        what: `Connection refused: nothing is listening at ${host}`,
        cure: `${CHECK_GOLDMANE}; after a restart of Goldmane, the worker reconnects automatically`,
      };
    case 'ETIMEDOUT':
      return {
        kind: 'timeout',
        what: `Goldmane at ${host} did not respond in time`,
        cure: `${CHECK_GOLDMANE}; a NetworkPolicy that drops packets has the same symptom`,
      };
    case 'CERT_HAS_EXPIRED':
    case 'CERT_NOT_YET_VALID':
      return {
        kind: 'server_certificate_expired',
        what: `The certificate of Goldmane at ${host}, or a CA above it, ${code === 'CERT_HAS_EXPIRED' ? 'has expired' : 'is not valid yet'}`,
        cure: `The operator renews goldmane-key-pair in calico-system: check its logs, the age of the bundle ${caPath}, and this machine's clock`,
      };
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return {
        kind: 'wrong_server_name',
        what: `Wrong server name: the certificate of ${host} is for ${error.names ?? 'other names'}, not for ${target.serverName ?? 'that name'}`,
        cure: 'Set GOLDMANE_SERVER_NAME to one of the names on the certificate, or correct GOLDMANE_HOST',
      };
    default:
      return classifyByPattern(error, target, certificates);
  }
}

function classifyByPattern(
  { code, message, wasSecure }: DialError,
  { host, certPath, caPath }: GoldmaneConfig,
  certificates: Certificates,
): GoldmaneFailureDetails {
  const [repeated] =
    code === 'CERT_SIGNATURE_FAILURE' ? repeatedSubjects(certificates.ca.toString('latin1')) : [];
  if (repeated !== undefined)
    return {
      kind: 'unknown_ca',
      what: `${caPath} contains several CAs named ${repeated}. OpenSSL tries only the first one, which did not sign the certificate of Goldmane at ${host} (${code})`,
      cure: `Remove CAs of that name that are no longer used, or put the one that signed Goldmane's certificate first. ${copyCertificatesAgain}`,
    };
  if (isUntrusted(code))
    return {
      kind: 'unknown_ca',
      what: `Unknown CA: the certificate of Goldmane at ${host} is not signed by any CA in ${caPath} (${code})`,
      cure: copyCertificatesAgain,
    };
  if (code.endsWith('ALERT_CERTIFICATE_EXPIRED'))
    return {
      kind: 'certificate_expired',
      what: `Goldmane at ${host} considers the client certificate ${certPath} expired, although it is valid until ${certificates.bundle.certNotAfter.toISOString()}`,
      cure: `Check the clocks of both machines. ${copyCertificatesAgain}`,
    };
  if (CERTIFICATE_ALERT.test(code)) {
    const unsigned =
      certificates.isSignedByBundle === false ? `; it is not signed by any CA in ${caPath} either` : '';
    return {
      kind: 'certificate_refused',
      what: `Goldmane at ${host} rejected the client certificate ${certPath} (${alertName(code)})${unsigned}`,
      cure: copyCertificatesAgain,
    };
  }
  // Not every server sends an alert when it rejects a certificate; Goldmane does.
  if (wasSecure && isHangUp(code) && certificates.isSignedByBundle === false)
    return {
      kind: 'certificate_refused',
      what: `Goldmane at ${host} closed the connection after receiving the client certificate ${certPath}, which is not signed by any CA in ${caPath}`,
      cure: copyCertificatesAgain,
    };
  if (code.endsWith('ALERT_UNRECOGNIZED_NAME'))
    return {
      kind: 'wrong_server_name',
      what: `Wrong server name: ${host} does not serve the requested name`,
      cure: 'Set GOLDMANE_SERVER_NAME to a name on its certificate, or correct GOLDMANE_HOST',
    };
  if (code.startsWith('ERR_SSL_') || code === 'EPROTO' || code === 'ERR_NOT_HTTP2')
    return {
      kind: 'unavailable',
      what: `The server at ${host} is not Goldmane: it does not speak gRPC over TLS (${code})`,
      cure: CHECK_GOLDMANE,
    };
  return {
    kind: 'unavailable',
    what: `The connection to Goldmane at ${host} failed before it was established (${code === '' ? message : code})`,
    cure: CHECK_GOLDMANE,
  };
}

function isHangUp(code: string): boolean {
  return code === 'ECONNRESET' || code === 'EPIPE';
}

function alertName(code: string): string {
  return code
    .replace(/^.*ALERT_/, '')
    .toLowerCase()
    .replaceAll('_', ' ');
}
