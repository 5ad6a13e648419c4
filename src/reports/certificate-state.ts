import type {
  CertificateFinding,
  CertificateFindings,
  CertificateState,
  CertificateVerdict,
  JudgementOptions,
  Reason,
} from './certificate-findings.ts';
import { bySeverity } from '../coverage/severity.ts';

const dayMs = 86_400_000;
const resync =
  'Re-apply what makes the copies, such as stacks/goldmane-edge-aggregator: tls.crt and tls.key of whisker-backend-key-pair, the bundle of tigera-ca-bundle, both in calico-system; no restart is needed';

/** Says what is the matter with the certificates, and what cures it, in the runbook's words. Pure. */
export function judgeCertificates(
  findings: CertificateFindings,
  options: JudgementOptions,
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
  return { state: 'good', severity: 'good', what: accepted, cure: 'Nothing has to be done' };
}

function unusable({ unusable, client, certPath, keyPath }: CertificateFindings): CertificateFinding[] {
  if (unusable) return [{ state: 'unreadable', severity: 'critical', ...unusable }];
  if (client?.keyMatches === false)
    return [
      {
        state: 'key_mismatch',
        severity: 'critical',
        what: `The key ${keyPath} does not belong to the certificate ${certPath}; perhaps only one of the two was replaced`,
        cure: resync,
      },
    ];
  return [];
}

function clientTimes(
  { client, certPath }: CertificateFindings,
  options: JudgementOptions,
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
    cure: `See that the operator renews whisker-backend-key-pair in calico-system before then. ${resync}`,
    curedAfter: resync,
  });
}

function otherTimes(
  { authority, server, caPath, handshake }: CertificateFindings,
  options: JudgementOptions,
): CertificateFinding[] {
  const isRefusedAlready = typeof handshake === 'object' && handshake.kind === 'server_certificate_expired';
  return [
    ...(authority
      ? expiry(`The CA ${authority.subject} in the bundle ${caPath}`, authority.notAfter, options, {
          states: ['ca_expired', 'ca_critical', 'ca_expiring'],
          cure: `See that the operator renews its CA before then. ${resync}`,
          curedAfter: `See that the operator renewed its CA. ${resync}`,
        })
      : []),
    ...(server && !isRefusedAlready
      ? expiry(`Goldmane's own certificate`, server.notAfter, options, {
          states: ['goldmane_expired', 'goldmane_critical', 'goldmane_expiring'],
          cure: 'The operator renews goldmane-key-pair in calico-system: see its logs if it does not before then',
          curedAfter: 'The operator should have renewed goldmane-key-pair in calico-system: see its logs',
        })
      : []),
  ];
}

interface ExpiryWords {
  states: readonly [over: CertificateState, nearly: CertificateState, soon: CertificateState];
  cure: string;
  curedAfter: string;
}

function expiry(
  subject: string,
  notAfter: Date,
  { nowMs, warnDays, criticalDays, formatTime }: JudgementOptions,
  { states: [over, nearly, soon], cure, curedAfter }: ExpiryWords,
): CertificateFinding[] {
  const leftMs = notAfter.getTime() - nowMs;
  const at = formatTime(notAfter);
  if (leftMs <= 0)
    return [{ state: over, severity: 'critical', what: `${subject} expired at ${at}`, cure: curedAfter }];
  if (leftMs > warnDays * dayMs) return [];
  const what = `${subject} expires ${inDays(leftMs)}, at ${at}`;
  return leftMs <= criticalDays * dayMs
    ? [{ state: nearly, severity: 'critical', what, cure }]
    : [{ state: soon, severity: 'warning', what, cure }];
}

function inDays(leftMs: number): string {
  const days = Math.floor(leftMs / dayMs);
  if (days === 0) return 'within a day';
  return days === 1 ? 'in a day' : `in ${days} days`;
}

function handshake(findings: CertificateFindings, options: JudgementOptions): CertificateFinding[] {
  const { handshake: outcome, client, authority, certPath, caPath } = findings;
  if (outcome === undefined || outcome === 'accepted') return [];
  const { kind, what, cure } = outcome;
  switch (kind) {
    case 'certificate_refused':
    case 'unknown_ca':
      return [refusal(findings, outcome, options)];
    // Ours is in time by this machine's clock: Goldmane's clock differs.
    case 'certificate_expired':
      return [{ state: 'expired', severity: 'critical', what, cure }];
    case 'server_certificate_expired':
      // Node does not say which certificate of the chain it was; where it is the CA, that is found by its own time.
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
                what: `No CA in ${caPath} signed the client certificate ${certPath}: Goldmane will probably refuse it`,
                cure: resync,
              },
            ]
          : []),
        {
          state: 'goldmane_unreachable',
          severity: 'warning',
          what: `${what}. That is no problem of the certificates: whether Goldmane accepts them is only not known now`,
          cure,
        },
      ];
  }
}

/** Stale copy or wrong CA: what only somebody with a memory, or a look at the operator's Secret, can tell. */
function refusal(
  { contacts, operatorSecret }: CertificateFindings,
  { kind, what }: Reason & { kind: string },
  { formatTime }: JudgementOptions,
): CertificateFinding {
  const isOurs = kind === 'certificate_refused';
  const workedAt = isOurs ? contacts?.certificate : contacts?.authorities;
  if (workedAt)
    return {
      state: 'stale_copy',
      severity: 'critical',
      what: `Stale copy: Goldmane ${isOurs ? 'accepted this certificate' : 'was known to this CA bundle'} until ${formatTime(workedAt)}, and no longer: the operator rotated. ${what}`,
      cure: resync,
    };
  if ('isSame' in operatorSecret && !operatorSecret.isSame)
    return {
      state: 'stale_copy',
      severity: 'critical',
      what: `Stale copy: the Secret ${operatorSecret.name} holds another certificate than this copy. ${what}`,
      cure: resync,
    };
  if (!contacts)
    return {
      state: 'refused',
      severity: 'critical',
      what: `${what}. Whether it ever worked is not known, because the database could not be asked`,
      cure: resync,
    };
  return {
    state: 'wrong_ca',
    severity: 'critical',
    what: `Wrong CA: it never worked. ${what}`,
    cure: `Check that the files come from the cluster of this Goldmane. ${resync}`,
  };
}

function secret({ operatorSecret, handshake, certPath }: CertificateFindings): CertificateFinding[] {
  if (!('isSame' in operatorSecret) || operatorSecret.isSame) return [];
  // Where it is refused already, this is the reason, not another finding.
  if (typeof handshake === 'object' && handshake.kind === 'certificate_refused') return [];
  const { name } = operatorSecret;
  const works = handshake === 'accepted' ? ', which Goldmane still accepts' : '';
  return [
    {
      state: 'rotated',
      severity: 'warning',
      what: `The operator rotated: the Secret ${name} holds another certificate than the copy ${certPath}${works}`,
      cure: `${resync}. If another certificate is used on purpose, set OPERATOR_SECRET to the Secret that it is a copy of, or leave it empty`,
    },
  ];
}
