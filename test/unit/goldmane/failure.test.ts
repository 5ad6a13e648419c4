import { status } from '@grpc/grpc-js';
import { describe, expect, test } from 'vitest';
import { issueCertificates } from '../../../dev/certificates.ts';
import { explainCallError } from '../../../src/goldmane/call-failure.ts';
import { CallError } from '../../../src/goldmane/calls.ts';
import { readCertificates } from '../../../src/goldmane/certificates.ts';
import {
  goldmaneFailure,
  withBundleHistory,
  type GoldmaneFailureKind,
} from '../../../src/goldmane/failure.ts';
import { explainDialError } from '../../../src/goldmane/dial-failure.ts';
import { writeTarget } from './peer.ts';

const bundle = { caFingerprint: 'ca', certFingerprint: 'cert', certNotAfter: new Date(0) };

describe('connection failures are classified', () => {
  // Node's error codes for the alerts of Goldmane v3.30.7 and v3.32.1, and of other servers.
  test.each<[string, GoldmaneFailureKind]>([
    ['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', 'certificate_refused'],
    ['ERR_SSL_TLSV1_ALERT_UNKNOWN_CA', 'certificate_refused'],
    ['ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE', 'certificate_refused'],
    ['ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN', 'certificate_refused'],
    ['ERR_SSL_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE', 'certificate_refused'],
    ['ERR_SSL_SSLV3_ALERT_CERTIFICATE_REVOKED', 'certificate_refused'],
    ['ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED', 'certificate_expired'],
    ['ERR_SSL_TLSV1_UNRECOGNIZED_NAME', 'unavailable'],
    ['ERR_SSL_TLSV1_ALERT_UNRECOGNIZED_NAME', 'wrong_server_name'],
    ['ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE', 'unavailable'],
    ['ERR_SSL_WRONG_VERSION_NUMBER', 'unavailable'],
    ['SELF_SIGNED_CERT_IN_CHAIN', 'unknown_ca'],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'unknown_ca'],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'unknown_ca'],
    ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'unknown_ca'],
    ['CERT_HAS_EXPIRED', 'server_certificate_expired'],
    ['CERT_NOT_YET_VALID', 'server_certificate_expired'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'wrong_server_name'],
    ['ECONNREFUSED', 'connection_refused'],
    ['ENOTFOUND', 'dns'],
    ['EAI_AGAIN', 'dns'],
    ['ETIMEDOUT', 'timeout'],
    ['ECONNRESET', 'unavailable'],
    ['EHOSTUNREACH', 'unavailable'],
    ['', 'unavailable'],
  ])('%s', async (code, kind) => {
    const issued = await issueCertificates();
    const target = await writeTarget(7443, { pair: issued.client, bundle: issued.authority.certificate });
    const certificates = await readCertificates(target);
    const failure = explainDialError({ code, message: 'broken', wasSecure: true }, target, certificates);
    expect(failure).toMatchObject({ kind, retryable: true, bundle: certificates.bundle });
  });
});

describe('call failures are classified', () => {
  test.each<[status, string, GoldmaneFailureKind]>([
    [status.DEADLINE_EXCEEDED, 'Deadline exceeded after 90s', 'timeout'],
    [status.UNAVAILABLE, 'Connection dropped', 'unavailable'],
    [status.CANCELLED, 'Call cancelled', 'unavailable'],
    [status.INTERNAL, 'Received RST_STREAM with code 2 (Internal server error)', 'unavailable'],
    [status.INTERNAL, 'Response message parsing error: x', 'malformed_response'],
    [status.INTERNAL, 'out of cheese', 'refused'],
    [
      status.RESOURCE_EXHAUSTED,
      'Received message larger than max (70000000 vs 67108864)',
      'response_too_large',
    ],
    // The HTML and the JSON of a proxy with status 200: `<html`, `{"err`.
    [
      status.RESOURCE_EXHAUSTED,
      'Received message larger than max (1752460652 vs 67108864)',
      'malformed_response',
    ],
    [
      status.RESOURCE_EXHAUSTED,
      'Received message larger than max (577073778 vs 67108864)',
      'malformed_response',
    ],
    [status.RESOURCE_EXHAUSTED, 'too many streams', 'refused'],
    [status.UNIMPLEMENTED, 'unknown service goldmane.Flows', 'refused'],
    [status.PERMISSION_DENIED, 'no', 'refused'],
    [status.UNKNOWN, 'boom', 'refused'],
  ])('%i %s', (code, details, kind) => {
    const call = {
      method: 'List',
      host: 'goldmane:7443',
      bundle,
      maxReceiveBytes: 67_108_864,
      deadlineMs: 90_000,
    } as const;
    const failure = explainCallError(new CallError(code, details), call);
    expect(failure).toMatchObject({ kind, retryable: true, bundle, code: status[code] });
  });
});

describe('only stored contacts distinguish stale from wrong', () => {
  const failure = (kind: GoldmaneFailureKind) =>
    goldmaneFailure({ kind, what: 'It was refused', cure: 'Do something', bundle, code: 'CODE' });

  test.each<GoldmaneFailureKind>(['certificate_refused', 'unknown_ca'])('%s', (kind) => {
    const at = new Date('2026-07-01T10:00:00Z');
    const stale = withBundleHistory(failure(kind), at);
    const wrong = withBundleHistory(failure(kind), undefined);
    expect(wrong.message).not.toBe(stale.message);
    expect([stale, wrong]).toMatchObject([
      { kind, bundle, code: 'CODE' },
      { kind, bundle, code: 'CODE' },
    ]);
  });

  test('failures unrelated to the bundle are unchanged', () => {
    const refused = failure('connection_refused');
    expect(withBundleHistory(refused, new Date())).toBe(refused);
    expect(withBundleHistory(refused, undefined)).toBe(refused);
  });
});
