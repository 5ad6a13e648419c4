import { status } from '@grpc/grpc-js';
import { expect, test } from 'vitest';
import { explainCallError } from '../../../src/goldmane/call-failure.ts';
import { CallError } from '../../../src/goldmane/calls.ts';
import {
  goldmaneFailure,
  invalidListResponse,
  tooManyRecords,
  withBundleHistory,
} from '../../../src/goldmane/failure.ts';
import { explainDialError, type DialError } from '../../../src/goldmane/dial-failure.ts';
import { explainNoResponse } from '../../../src/temporal/explain-failure.ts';
import { wrongTrail } from '../../../src/temporal/failure.ts';
import { databaseFailure, databaseFailureKinds } from '../../../src/trail/database/database-failure.ts';
import { toDatabaseFailure } from '../../../src/trail/database/explain-database-error.ts';
import { expectSentences, type Sentences } from './sentences.ts';

// The text of every failure. Other tests assert kinds.

test('of the database, by SQLSTATE or code', async () => {
  const codes = [
    ...['28P01', '28000', '3D000', '42P01', '42501', '25006', '57P03', '53100', '53300', '57P01', '57014'],
    '22P05',
    ...['08P01', '22012', 'ECONNREFUSED', 'EHOSTUNREACH', 'ENOTFOUND', 'ECONNRESET', 'ETIMEDOUT'],
    ...['DEPTH_ZERO_SELF_SIGNED_CERT', 'ERR_TLS_CERT_ALTNAME_INVALID', 'CERT_HAS_EXPIRED'],
    ...['ERR_SSL_WRONG_VERSION_NUMBER', 'ERR_OSSL_PEM_BAD_END_LINE', 'ERR_SSL_TLSV1_ALERT_UNKNOWN_CA'],
  ];
  const said: Sentences = {};
  const kinds = new Set<string>();
  for (const code of codes) {
    const failure = toDatabaseFailure(Object.assign(new Error('text from the server'), { code }));
    said[`${failure.kind} (${code})`] = failure.message;
    kinds.add(failure.kind);
  }
  for (const message of [
    'client password must be a string',
    'The server does not support SSL connections',
    'channel binding is required, and the server does not offer it',
  ]) {
    const failure = toDatabaseFailure(new Error(message));
    said[`${failure.kind} (${message})`] = failure.message;
    kinds.add(failure.kind);
  }
  // Kinds that only the worker itself detects: the cure.
  for (const kind of [
    'url_unreadable',
    'newer_schema',
    'damaged',
    'other_supervisor',
    'wrong_cluster',
    'migrating',
    'wrong_server',
    'tls_required',
  ] as const) {
    said[kind] = databaseFailure(kind, 'what was found').message;
    kinds.add(kind);
  }
  expect(databaseFailureKinds.filter((kind) => !kinds.has(kind))).toEqual([]);
  await expectSentences('database', said);
});

const bundle = { caFingerprint: 'ca', certFingerprint: 'cert', certNotAfter: new Date(0) };
const target = {
  host: 'goldmane:7443',
  insecure: false,
  certPath: '/tls/tls.crt',
  keyPath: '/tls/tls.key',
  caPath: '/ca/bundle.crt',
  maxReceiveBytes: 67_108_864,
};

test('of Goldmane: connecting', async () => {
  const none = Buffer.alloc(0);
  const certificates = { ca: none, cert: none, key: none, bundle, isSignedByBundle: true };
  const explained = (error: DialError) => explainDialError(error, target, certificates).message;
  const said: Sentences = {};
  for (const code of [
    'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED',
    'ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED',
    'ERR_SSL_TLSV1_ALERT_UNRECOGNIZED_NAME',
    'ERR_SSL_WRONG_VERSION_NUMBER',
    'SELF_SIGNED_CERT_IN_CHAIN',
    'CERT_HAS_EXPIRED',
    'ERR_TLS_CERT_ALTNAME_INVALID',
    'ECONNREFUSED',
    'ENOTFOUND',
    'ETIMEDOUT',
    'ECONNRESET',
    'EHOSTUNREACH',
  ]) {
    const names = code === 'ERR_TLS_CERT_ALTNAME_INVALID' ? 'DNS:whisker' : undefined;
    said[code] = explained({ code, message: 'as OpenSSL says it', wasSecure: false, names });
  }
  const reset = { code: 'ECONNRESET', message: 'reset', wasSecure: true };
  said['ECONNRESET, after the handshake'] = explained(reset);
  await expectSentences('goldmane-connecting', said);
});

test('of Goldmane: calls, responses, and stored contacts', async () => {
  const said: Sentences = {};
  for (const [code, details] of [
    [status.DEADLINE_EXCEEDED, 'Deadline exceeded after 90s'],
    [status.UNAVAILABLE, 'Connection dropped'],
    [status.INTERNAL, 'Response message parsing error: x'],
    [status.RESOURCE_EXHAUSTED, 'Received message larger than max (70000000 vs 67108864)'],
    [status.RESOURCE_EXHAUSTED, 'too many streams'],
    [status.UNIMPLEMENTED, 'unknown service goldmane.Flows'],
    [status.PERMISSION_DENIED, 'no'],
    [status.UNKNOWN, 'boom'],
  ] as const)
    for (const method of ['List', 'Stream'] as const) {
      const call = { method, host: target.host, bundle, maxReceiveBytes: 67_108_864, deadlineMs: 90_000 };
      const { kind, message } = explainCallError(new CallError(code, details), call);
      said[`${kind} (${method}, ${status[code]}, ${details})`] = message;
    }
  said['invalid_list_response'] = invalidListResponse(1_800_000_000, 'the reason').message;
  said['response_too_large'] = tooManyRecords(1_800_000_000, 300_000, 120_000).message;
  for (const kind of ['certificate_refused', 'unknown_ca'] as const) {
    const failure = goldmaneFailure({ kind, what: 'It was refused', cure: 'Do something', bundle });
    said[`${kind}, worked before`] = withBundleHistory(failure, new Date('2026-07-01T10:00:00Z')).message;
    said[`${kind}, never worked`] = withBundleHistory(failure, undefined).message;
  }
  await expectSentences('goldmane-calls', said);
});

test('of Temporal', async () => {
  const said: Sentences = {};
  for (const code of [status.NOT_FOUND, status.PERMISSION_DENIED, status.UNAVAILABLE, status.INTERNAL]) {
    const error = Object.assign(new Error('text from the server'), {
      code,
      details: 'text from the server',
      metadata: {},
    });
    const { kind, message } = explainNoResponse('temporal:7233', 'default', error);
    said[`${kind} (${status[code]})`] = message;
  }
  said['wrong_trail'] = wrongTrail('flow-trail/supervisor', 'one', 'another').message;
  await expectSentences('temporal', said);
});
