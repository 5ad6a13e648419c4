import { describe, expect, test } from 'vitest';
import type { CertificateFindings } from '../../../src/reports/certificate-types.ts';
import { assessCertificates } from '../../../src/reports/assess-certificates.ts';
import { days, formatTime, goodCertificates, nowMs } from './facts.ts';

const refused = { kind: 'certificate_refused', what: 'Goldmane refused it', cure: 'Re-sync' };
const never = { certificate: undefined, authorities: undefined };

function judge(found: Partial<CertificateFindings> = {}) {
  return assessCertificates(
    { ...goodCertificates, ...found },
    { nowMs, warnDays: 14, criticalDays: 3, formatTime },
  );
}

const states = (found: Partial<CertificateFindings>) => judge(found).findings.map(({ state }) => state);

test('good is the only finding if there are no problems', () => {
  expect(judge()).toMatchObject({ state: 'good', severity: 'good' });
  expect(judge().findings).toHaveLength(1);
});

describe('an operator Secret with another certificate', () => {
  const operatorSecret = { name: 'calico-system/pair', isSame: false };

  test('is a warning while the copy still works', () => {
    expect(judge({ operatorSecret })).toMatchObject({ state: 'rotated', severity: 'warning' });
  });

  test('makes a rejected certificate a stale copy, even if the copy never worked', () => {
    expect(states({ operatorSecret, handshake: refused, contacts: never })).toEqual(['stale_copy']);
  });

  test('is not reported if it is the same or unknown', () => {
    expect(states({ operatorSecret: { ...operatorSecret, isSame: true } })).toEqual(['good']);
    expect(
      states({
        operatorSecret: { ...operatorSecret, isSame: true },
        handshake: refused,
        contacts: never,
      }),
    ).toEqual(['wrong_ca']);
  });
});

test('all findings are reported, worst first', () => {
  expect(
    states({
      client: { notBefore: days(-30), notAfter: days(10), keyMatches: true, isSignedByBundle: true },
      authority: { subject: 'CN=signer', notAfter: days(2) },
      server: { issuer: 'CN=signer', notAfter: days(5) },
      operatorSecret: { name: 'calico-system/pair', isSame: false },
    }),
  ).toEqual(['ca_critical', 'expiring', 'goldmane_expiring', 'rotated']);
});

test.each([
  [14.001, 'good'],
  [14, 'expiring'],
  [3.001, 'expiring'],
  [3, 'critical'],
  [0.001, 'critical'],
  [0, 'expired'],
])('with %d days left the client certificate is %s', (left, state) => {
  expect(
    judge({
      client: { notBefore: days(-30), notAfter: days(left), keyMatches: true, isSignedByBundle: true },
    }).state,
  ).toBe(state);
});

test.each(['connection_refused', 'dns', 'timeout', 'unavailable'])(
  'an unreachable Goldmane (%s) is a warning, not a finding about certificates',
  (kind) => {
    const verdict = judge({ handshake: { kind, what: 'Not listening', cure: 'Check that it runs' } });
    expect(verdict).toMatchObject({ state: 'goldmane_unreachable', severity: 'warning' });
    expect(verdict.findings[0]).toMatchObject({
      cure: 'Check that it runs',
    });
  },
);

test('every finding has a cure, without a trailing full stop', () => {
  const all = [
    { handshake: refused, contacts: never },
    { handshake: refused },
    { client: { notBefore: days(1), notAfter: days(60), keyMatches: true, isSignedByBundle: true } },
    { client: { notBefore: days(-1), notAfter: days(60), keyMatches: false, isSignedByBundle: true } },
    { authority: { subject: 'CN=signer', notAfter: days(-1) } },
    { server: { issuer: 'CN=signer', notAfter: days(-1) } },
    { operatorSecret: { name: 'a/b', isSame: false } },
  ].flatMap((found) => judge(found).findings);
  for (const { what, cure } of all) {
    expect(what).toMatch(/[^.]$/);
    expect(cure).toMatch(/.{10,}[^.]$/);
  }
});
