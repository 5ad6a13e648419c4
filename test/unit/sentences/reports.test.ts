import { test } from 'vitest';
import type { CertificateFindings } from '../../../src/reports/certificate-types.ts';
import { assessCertificates } from '../../../src/reports/assess-certificates.ts';
import { assessFreshness } from '../../../src/reports/freshness-state.ts';
import type { FreshnessFacts } from '../../../src/trail/jobs/freshness.ts';
import { days, formatTime, fresh, goodCertificates, minutesAgo, nowMs } from '../reports/facts.ts';
import { expectSentences, type Sentences } from './sentences.ts';

test('of the job freshness', async () => {
  const never = { lastProgressAt: undefined, newestBucket: undefined, settledBucket: undefined };
  const late = { lastProgressAt: minutesAgo(10) };
  const situations: Record<string, Partial<FreshnessFacts>> = {
    fresh: {},
    'nothing yet, after a minute': { ...never, since: minutesAgo(1) },
    'nothing yet, after five': { ...never, since: minutesAgo(5) },
    late,
    'late, while the readers fail': {
      ...late,
      trouble: { what: 'It is refused.', at: minutesAgo(1) },
    },
    'late, with a gap': { ...late, gapCause: 'Goldmane answered empty' },
    'late, and older than the buffer': { ...late, settledBucket: minutesAgo(90) },
    stalled: { lastProgressAt: minutesAgo(50) },
    'settling late': { lastSettledAt: minutesAgo(20), settledBucket: minutesAgo(27) },
    'settling stalled': { lastSettledAt: minutesAgo(50), settledBucket: minutesAgo(57) },
    'the stream late': { streamedBucket: minutesAgo(60), missedByStream: 100 },
    'a clock ahead': { futureAt: minutesAgo(-30) },
    'workers killed': { crashes: { count: 3, lastAt: minutesAgo(2), failure: undefined } },
    'workers failed, and late': {
      ...late,
      crashes: { count: 4, lastAt: minutesAgo(2), failure: 'It broke.' },
    },
  };
  const said: Sentences = {};
  for (const [situation, facts] of Object.entries(situations)) {
    const options = { nowMs, warnMinutes: 5, pageMinutes: 45, formatTime };
    const { state, severity, what, cause, remembered } = assessFreshness({ ...fresh, ...facts }, options);
    said[`${situation}: ${state}, ${severity}`] = [what, cause, remembered].filter(Boolean).join('\n');
  }
  await expectSentences('freshness', said);
});

test('of the certificates', async () => {
  const { client } = goodCertificates;
  const outcome = (kind: string) => ({ kind, what: 'The handshake failed', cure: 'Do something' });
  const contacts = { certificate: days(-1), authorities: days(-1) };
  const never = { certificate: undefined, authorities: undefined };
  const situations: Record<string, Partial<CertificateFindings>> = {
    good: {},
    'a file is unusable': { unusable: { what: 'The file is missing', cure: 'Mount it' } },
    'another key': { client: { ...client, keyMatches: false } },
    'not yet valid': { client: { ...client, notBefore: days(1) } },
    expired: { client: { ...client, notAfter: days(-1) } },
    'expires in a day': { client: { ...client, notAfter: days(1.5) } },
    'expires in ten days': { client: { ...client, notAfter: days(10) } },
    'the CA expires': { authority: { subject: 'CN=signer', notAfter: days(10) } },
    'Goldmane’s expires': { server: { issuer: 'CN=signer', notAfter: days(10) } },
    'refused, accepted before': { handshake: outcome('certificate_refused'), contacts },
    'unknown CA, verified before': { handshake: outcome('unknown_ca'), contacts },
    'refused, never accepted': { handshake: outcome('certificate_refused'), contacts: never },
    'refused, no database': { handshake: outcome('certificate_refused') },
    'wrong server name': { handshake: outcome('wrong_server_name') },
    'Goldmane’s has expired': { handshake: outcome('server_certificate_expired') },
    'Goldmane cannot be reached': { handshake: outcome('connection_refused') },
    'not signed by the bundle': {
      client: { ...client, isSignedByBundle: false },
      handshake: outcome('connection_refused'),
    },
    rotated: { operatorSecret: { name: 'calico-system/pair', isSame: false } },
  };
  const said: Sentences = {};
  for (const [situation, found] of Object.entries(situations)) {
    const options = { nowMs, warnDays: 14, criticalDays: 3, formatTime };
    const { findings } = assessCertificates({ ...goodCertificates, ...found }, options);
    said[situation] = findings
      .map(({ state, severity, what, cure }) => `${state}, ${severity}: ${what}. ${cure}.`)
      .join('\n');
  }
  await expectSentences('certificates', said);
});
