import { dayMs } from '../time/units.ts';
import type {
  CertificateFinding,
  CertificateFindings,
  CertificateState,
  CertificateVerdict,
  AssessmentOptions,
  Reason,
} from './certificate-types.ts';
import { bySeverity } from '../coverage/severity.ts';
import { copyCertificatesAgain } from '../text/certificate-copies.ts';

/** Evaluates the certificates: each finding with what to do, in the terms of docs/operations.md. Pure. */
export function assessCertificates(
  findings: CertificateFindings,
  options: AssessmentOptions,
): CertificateVerdict {
  const all = [
    ...unusable(findings),
    ...clientTimes(findings, options),
    ...handshake(findings, options),
    ...otherTimes(findings, options),
    ...secret(findings),
  ].toSorted(bySeverity);
  const [worst = good(findings)] = all;
  return { state: worst.state, severity: worst.severity, findings: all.length === 0 ? [worst] : all };
}

function good({ host, handshake }: CertificateFindings): CertificateFinding {
  const accepted = handshake === 'accepted' ? `Goldmane at ${host} accepts the client certificate` : '';
  return { state: 'good', severity: 'good', what: accepted, cure: 'No action needed' };
}

function unusable({ unusable, client, certPath, keyPath }: CertificateFindings): CertificateFinding[] {
  if (unusable) return [{ state: 'unreadable', severity: 'critical', ...unusable }];
  if (client?.keyMatches === false)
    return [
      {
        state: 'key_mismatch',
        severity: 'critical',
        what: `The key ${keyPath} does not match the certificate ${certPath}; possibly only one of the two files was updated`,
        cure: copyCertificatesAgain,
      },
    ];
  return [];
}

function clientTimes(
  { client, certPath }: CertificateFindings,
  options: AssessmentOptions,
): CertificateFinding[] {
  if (!client) return [];
  const { nowMs, formatTime } = options;
  if (nowMs < client.notBefore.getTime())
    return [
      {
        state: 'not_yet_valid',
        severity: 'critical',
        what: `The client certificate ${certPath} is not valid before ${formatTime(client.notBefore)}`,
        cure: "Check this machine's clock",
      },
    ];
  return expiry(`The client certificate ${certPath}`, client.notAfter, options, {
    states: ['expired', 'critical', 'expiring'],
    cure: `Check that the operator renews whisker-backend-key-pair in calico-system before then. ${copyCertificatesAgain}`,
    curedAfter: copyCertificatesAgain,
  });
}

function otherTimes(
  { authority, server, caPath, handshake }: CertificateFindings,
  options: AssessmentOptions,
): CertificateFinding[] {
  const isRefusedAlready = typeof handshake === 'object' && handshake.kind === 'server_certificate_expired';
  return [
    ...(authority
      ? expiry(`The CA ${authority.subject} in the bundle ${caPath}`, authority.notAfter, options, {
          states: ['ca_expired', 'ca_critical', 'ca_expiring'],
          cure: `Check that the operator renews its CA before then. ${copyCertificatesAgain}`,
          curedAfter: `Check that the operator renewed its CA. ${copyCertificatesAgain}`,
        })
      : []),
    ...(server && !isRefusedAlready
      ? expiry(`Goldmane's own certificate`, server.notAfter, options, {
          states: ['goldmane_expired', 'goldmane_critical', 'goldmane_expiring'],
          cure: 'The operator renews goldmane-key-pair in calico-system; if it has not done so by then, check the logs of the operator',
          curedAfter:
            'The operator should have renewed goldmane-key-pair in calico-system; check the logs of the operator',
        })
      : []),
  ];
}

interface ExpiryWords {
  states: readonly [expired: CertificateState, critical: CertificateState, warning: CertificateState];
  cure: string;
  /** What to do once the certificate has expired. */
  curedAfter: string;
}

function expiry(
  subject: string,
  notAfter: Date,
  { nowMs, warnDays, criticalDays, formatTime }: AssessmentOptions,
  { states: [expired, critical, warning], cure, curedAfter }: ExpiryWords,
): CertificateFinding[] {
  const leftMs = notAfter.getTime() - nowMs;
  const at = formatTime(notAfter);
  if (leftMs <= 0)
    return [{ state: expired, severity: 'critical', what: `${subject} expired at ${at}`, cure: curedAfter }];
  if (leftMs > warnDays * dayMs) return [];
  const what = `${subject} expires ${inDays(leftMs)}, at ${at}`;
  return leftMs <= criticalDays * dayMs
    ? [{ state: critical, severity: 'critical', what, cure }]
    : [{ state: warning, severity: 'warning', what, cure }];
}

function inDays(leftMs: number): string {
  const days = Math.floor(leftMs / dayMs);
  if (days === 0) return 'within a day';
  return days === 1 ? 'in a day' : `in ${days} days`;
}

function handshake(findings: CertificateFindings, options: AssessmentOptions): CertificateFinding[] {
  const { handshake: outcome, client, authority, certPath, caPath } = findings;
  if (outcome === undefined || outcome === 'accepted') return [];
  const { kind, what, cure } = outcome;
  switch (kind) {
    case 'certificate_refused':
    case 'unknown_ca':
      return [refusal(findings, outcome, options)];
    // The client certificate is valid by this machine's clock, so Goldmane's clock differs.
    case 'certificate_expired':
      return [{ state: 'expired', severity: 'critical', what, cure }];
    case 'server_certificate_expired':
      // Node does not report which certificate of the chain expired; an expired CA has its own finding.
      if (authority && authority.notAfter.getTime() <= options.nowMs) return [];
      return [{ state: 'goldmane_expired', severity: 'critical', what, cure }];
    case 'wrong_server_name':
      return [{ state: 'wrong_server_name', severity: 'critical', what, cure }];
    case 'certificate_unreadable':
      return [{ state: 'unreadable', severity: 'critical', what, cure }];
    default:
      return [
        ...(client?.isSignedByBundle === false
          ? [
              {
                state: 'unsigned' as const,
                severity: 'warning' as const,
                what: `The client certificate ${certPath} is not signed by any CA in ${caPath}; Goldmane will probably reject it`,
                cure: copyCertificatesAgain,
              },
            ]
          : []),
        {
          state: 'goldmane_unreachable',
          severity: 'warning',
          what: `${what}. This is not a certificate problem; whether Goldmane accepts the certificates is currently unknown`,
          cure,
        },
      ];
  }
}

/** Distinguishes a stale copy from a wrong CA by the stored contacts or by comparison with the operator's Secret. */
function refusal(
  { contacts, operatorSecret }: CertificateFindings,
  { kind, what }: Reason & { kind: string },
  { formatTime }: AssessmentOptions,
): CertificateFinding {
  const isOurs = kind === 'certificate_refused';
  const workedAt = isOurs ? contacts?.certificate : contacts?.authorities;
  if (workedAt)
    return {
      state: 'stale_copy',
      severity: 'critical',
      what: `${isOurs ? 'The operator rotated the certificate; our copy is stale: Goldmane last accepted it' : 'The operator rotated the CA; our copy of the bundle is stale: it last verified Goldmane'} at ${formatTime(workedAt)}. ${what}`,
      cure: copyCertificatesAgain,
    };
  if ('isSame' in operatorSecret && !operatorSecret.isSame)
    return {
      state: 'stale_copy',
      severity: 'critical',
      what: `The operator rotated the certificate; our copy is stale: the Secret ${operatorSecret.name} contains a different certificate. ${what}`,
      cure: copyCertificatesAgain,
    };
  if (!contacts)
    return {
      state: 'refused',
      severity: 'critical',
      what: `${what}. Whether it worked before is unknown because the database could not be queried`,
      cure: copyCertificatesAgain,
    };
  return {
    state: 'wrong_ca',
    severity: 'critical',
    what: `Wrong CA: these files have never worked. ${what}`,
    cure: `Check that the files come from the cluster that runs this Goldmane. ${copyCertificatesAgain}`,
  };
}

function secret({ operatorSecret, handshake, certPath }: CertificateFindings): CertificateFinding[] {
  if (!('isSame' in operatorSecret) || operatorSecret.isSame) return [];
  // The rejection is already a finding, and its text includes this reason.
  if (typeof handshake === 'object' && handshake.kind === 'certificate_refused') return [];
  const { name } = operatorSecret;
  const works = handshake === 'accepted' ? '; Goldmane still accepts the copy' : '';
  return [
    {
      state: 'rotated',
      severity: 'warning',
      what: `The operator rotated the certificate: the Secret ${name} differs from our copy ${certPath}${works}`,
      cure: `${copyCertificatesAgain}. If you use a different certificate intentionally, set OPERATOR_SECRET to the Secret it is copied from, or leave it empty`,
    },
  ];
}
