import { rm, writeFile } from 'node:fs/promises';
import { expect, test, vi } from 'vitest';
import { inspectCertificatesNow } from '../../../src/queries/certificates.ts';
import { systemClock, type Clock } from '../../../src/time/clock.ts';
import {
  createAuthority,
  issueCertificates,
  type CertifiedKey,
  type IssuedCertificates,
} from '../../../dev/certificates.ts';
import type { GoldmaneConfig } from '../../../src/config/goldmane-config.ts';
import type { CertificateVerdict } from '../../../src/reports/certificate-types.ts';
import { certificateReport, type CertificateReport } from '../../../src/reports/certificate-report.ts';
import { assessCertificates } from '../../../src/reports/assess-certificates.ts';
import type { Contacts } from '../../../src/trail/jobs/tls-contacts.ts';
import { startPeer, writeTarget } from '../goldmane/peer.ts';
import { freePort } from '../../../dev/ports.ts';

vi.setConfig({ testTimeout: 30_000 });
const issued = await issueCertificates();
const others = await issueCertificates();
const neverWorked: Contacts = { certificate: undefined, authorities: undefined };
const days = (count: number) => new Date(Date.now() + count * 86_400_000);

/** A clock whose sleep returns immediately. */
const clockWithoutWaits: Clock = { ...systemClock, sleep: () => Promise.resolve() };

interface InspectOptions {
  contacts?: Contacts | 'unknown';
  clock?: Clock;
}

async function inspect(
  target: GoldmaneConfig,
  { contacts = neverWorked, clock = clockWithoutWaits }: InspectOptions = {},
): Promise<{ verdict: CertificateVerdict; report: CertificateReport }> {
  const nowMs = Date.now();
  const { findings } = await inspectCertificatesNow(
    {
      target,
      clock,
      clusterApi: undefined,
      operatorSecret: undefined,
      contactsOf: () => Promise.resolve(contacts === 'unknown' ? undefined : contacts),
    },
    { nowMs, signal: new AbortController().signal },
  );
  const verdict = assessCertificates(findings, {
    nowMs,
    warnDays: 14,
    criticalDays: 3,
    formatTime: (time) => time.toISOString(),
  });
  return { verdict, report: certificateReport(findings, verdict, nowMs) };
}

/** Starts a Goldmane with these certificates and writes the client's files. */
async function startTarget({
  server = issued,
  pair = issued.client,
  bundle = issued.authority.certificate,
}: {
  server?: Pick<IssuedCertificates, 'server' | 'authority'>;
  pair?: CertifiedKey;
  bundle?: string;
} = {}): Promise<GoldmaneConfig> {
  const { port } = await startPeer(server);
  return writeTarget(port, { pair, bundle });
}

const client = (notBefore: Date, notAfter: Date) =>
  issued.authority.issue({ usage: 'client', commonName: 'whisker-backend', notBefore, notAfter });

test('accepted certificates that are valid long enough are good; the report has expiry times and the issuer of Goldmane’s certificate', async () => {
  const { verdict, report } = await inspect(await startTarget());
  expect(verdict).toMatchObject({ state: 'good', severity: 'good' });
  expect(report).toMatchObject({ handshake: 'accepted', goldmaneIssuer: 'CN=tigera-operator-signer' });
  expect(report.daysLeft.client).toBeCloseTo(30, 0);
  expect(report.daysLeft.ca).toBeCloseTo(365, 0);
  expect(report.daysLeft.goldmane).toBeCloseTo(30, 0);
});

test.each([
  ['expired', 'critical', -1],
  ['critical', 'critical', 2.5],
  ['critical', 'critical', 0.5],
  ['expiring', 'warning', 13],
  ['good', 'good', 15],
] as const)('a client certificate is %s (%s) with %d days left', async (state, severity, left) => {
  const { verdict } = await inspect(await startTarget({ pair: await client(days(-30), days(left)) }));
  expect(verdict).toMatchObject({ state, severity });
});

test('the finding for a client certificate that is not valid yet mentions the clock', async () => {
  const { verdict, report } = await inspect(await startTarget({ pair: await client(days(1), days(30)) }));
  expect(verdict).toMatchObject({ state: 'not_yet_valid', severity: 'critical' });
  expect(report.handshake).toBe('not tried');
});

test('a key of another pair is distinguished from a rejected certificate', async () => {
  const pair = { certificate: issued.client.certificate, key: others.client.key };
  const { verdict } = await inspect(await startTarget({ pair }));
  expect(verdict).toMatchObject({ state: 'key_mismatch', severity: 'critical' });
});

test.each(['certPath', 'keyPath', 'caPath'] as const)('a missing %s is unreadable', async (path) => {
  const target = await startTarget();
  await rm(target[path]);
  const { verdict, report } = await inspect(target);
  expect(verdict).toMatchObject({ state: 'unreadable', severity: 'critical' });
  expect(verdict.findings[0]?.what).toContain(target[path]);
  expect(report.notAfter.goldmane).toBeDefined();
});

test.each(['certPath', 'keyPath', 'caPath'] as const)(
  'invalid content in %s is unreadable and not quoted',
  async (path) => {
    const target = await startTarget();
    await writeFile(target[path], 'c2VjcmV0LWNvbnRlbnQ=');
    const { verdict, report } = await inspect(target);
    expect(verdict.state).toBe('unreadable');
    expect(JSON.stringify(report)).not.toContain('c2VjcmV0');
  },
);

test('after a full rotation, files that worked before are a stale copy, with the last time when they worked', async () => {
  const worked = new Date('2026-11-23T10:00:00Z');
  const target = await startTarget({ server: others });
  const { verdict } = await inspect(target, { contacts: { certificate: worked, authorities: worked } });
  expect(verdict).toMatchObject({ state: 'stale_copy', severity: 'critical' });
  expect(verdict.findings[0]?.what).toContain('2026-11-23T10:00:00.000Z');
});

test('a certificate that worked before is a stale copy even if only the bundle was copied again', async () => {
  const target = await startTarget({ server: others, bundle: others.authority.certificate });
  const worked = { certificate: new Date('2026-11-23T10:00:00Z'), authorities: undefined };
  const { verdict, report } = await inspect(target, { contacts: worked });
  expect(report.handshake).toBe('certificate_refused');
  expect(verdict.state).toBe('stale_copy');
  expect((await inspect(target)).verdict.state).toBe('wrong_ca');
});

test('files that never worked have a wrong CA; without stored contacts, that is not stated', async () => {
  const target = await startTarget({ server: others });
  const never = await inspect(target);
  expect(never.report.handshake).toBe('unknown_ca');
  expect(never.verdict).toMatchObject({ state: 'wrong_ca', severity: 'critical' });
  const unknown = await inspect(target, { contacts: 'unknown' });
  expect(unknown.verdict.state).toBe('refused');
  expect(unknown.verdict.state).toBe('refused');
});

test('the earliest expiry of a chain with an intermediate counts', async () => {
  const intermediate = await issued.authority.issueAuthority({ notAfter: days(40) });
  const leaf = await intermediate.issue({ usage: 'client', commonName: 'whisker-backend' });
  const pair = { certificate: leaf.certificate + intermediate.certificate, key: leaf.key };
  const { verdict, report } = await inspect(await startTarget({ pair }));
  expect(verdict.state).toBe('good');
  expect(report.daysLeft.ca).toBeCloseTo(40, 0);
  const withoutChain = await inspect(await startTarget({ pair: leaf }));
  expect(withoutChain.report.handshake).toBe('certificate_refused');
});

test('a CA in the bundle counts only if a certificate depends on it', async () => {
  const old = await createAuthority({ commonName: 'old', notBefore: days(-400), notAfter: days(-35) });
  const bundle = old.certificate + issued.authority.certificate;
  const { verdict, report } = await inspect(await startTarget({ bundle }));
  expect(verdict.state).toBe('good');
  expect(report.daysLeft.ca).toBeGreaterThan(300);
});

test.each([
  ['ca_expiring', 'warning', 10],
  ['ca_critical', 'critical', 2],
  ['ca_expired', 'critical', -1],
] as const)(
  'a CA that is %s is reported although the certificates are valid',
  async (state, severity, left) => {
    const authority = await createAuthority({ notBefore: days(-100), notAfter: days(left) });
    const own = await issueCertificates({ authority });
    const { verdict } = await inspect(
      await startTarget({ server: own, pair: own.client, bundle: authority.certificate }),
    );
    expect(verdict).toMatchObject({ state, severity });
    expect(verdict.findings).toHaveLength(1);
  },
);

test('an expiring certificate of Goldmane is reported as a problem of the operator', async () => {
  const server = await issued.authority.issue({
    usage: 'server',
    commonName: 'goldmane',
    names: ['localhost'],
    notBefore: days(-30),
    notAfter: days(5),
  });
  const { verdict } = await inspect(await startTarget({ server: { ...issued, server } }));
  expect(verdict).toMatchObject({ state: 'goldmane_expiring', severity: 'warning' });
});

test('an unreachable Goldmane does not change the verdict on the certificates', async () => {
  const target = await writeTarget(await freePort(), {
    pair: issued.client,
    bundle: issued.authority.certificate,
  });
  const { verdict } = await inspect(target);
  expect(verdict).toMatchObject({ state: 'goldmane_unreachable', severity: 'warning' });
  const expiring = await writeTarget(await freePort(), {
    pair: await client(days(-30), days(2)),
    bundle: issued.authority.certificate,
  });
  expect((await inspect(expiring)).verdict.findings.map(({ state }) => state)).toEqual([
    'critical',
    'goldmane_unreachable',
  ]);
});

test('a certificate not signed by the bundle is reported while Goldmane is unreachable', async () => {
  const target = await writeTarget(await freePort(), {
    pair: others.client,
    bundle: issued.authority.certificate,
  });
  expect((await inspect(target)).verdict.findings.map(({ state }) => state)).toEqual([
    'unsigned',
    'goldmane_unreachable',
  ]);
});

test('a Goldmane that answers at the second check counts as available', async () => {
  const port = await freePort();
  const target = await writeTarget(port, { pair: issued.client, bundle: issued.authority.certificate });
  const clock: Clock = { ...systemClock, sleep: () => startPeer(issued, {}, port).then(() => undefined) };
  expect((await inspect(target, { clock })).verdict.state).toBe('good');
});
