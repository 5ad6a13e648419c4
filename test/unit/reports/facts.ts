import type { CertificateFindings } from '../../../src/reports/certificate-types.ts';
import type { FreshnessFacts } from '../../../src/trail/jobs/freshness.ts';

// The facts of both monitoring jobs without problems; each test changes one fact.

export const nowMs = Date.parse('2026-11-24T08:00:00Z');
export const minutesAgo = (minutes: number) => new Date(nowMs - minutes * 60_000);
export const days = (count: number) => new Date(nowMs + count * 86_400_000);
export const formatTime = (time: Date) => time.toISOString();

export const fresh: FreshnessFacts = {
  since: minutesAgo(10_000),
  lastProgressAt: minutesAgo(0.5),
  lastSettledAt: minutesAgo(0.5),
  futureAt: undefined,
  streamedBucket: minutesAgo(1),
  missedByStream: 0,
  newestBucket: minutesAgo(1),
  settledBucket: minutesAgo(7),
  trouble: undefined,
  gapCause: undefined,
  crashes: { count: 0, lastAt: undefined, failure: undefined },
};

export const goodCertificates = {
  host: 'goldmane:7443',
  certPath: '/tls.crt',
  keyPath: '/tls.key',
  caPath: '/ca.crt',
  unusable: undefined,
  client: { notBefore: days(-30), notAfter: days(60), keyMatches: true, isSignedByBundle: true },
  authority: { subject: 'CN=signer', notAfter: days(300) },
  server: { issuer: 'CN=signer', notAfter: days(60) },
  handshake: 'accepted',
  contacts: undefined,
  operatorSecret: { note: 'not compared' },
} satisfies CertificateFindings;
