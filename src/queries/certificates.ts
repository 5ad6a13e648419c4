import type { Clock } from '../time/clock.ts';
import { isGoldmaneFailure, type GoldmaneFailure } from '../goldmane/failure.ts';
import { inspectCertificateFiles, type Inspection } from '../goldmane/inspect.ts';
import { readOperatorSecret, type ClusterApi, type OperatorSecret } from '../goldmane/operator-secret.ts';
import type { GoldmaneConfig } from '../config/config.ts';
import type { CertificateFindings, Reason } from '../reports/certificate-findings.ts';
import type { Contacts, TlsBundle } from '../trail/contact.ts';

/** What a look at the certificates needs; the worker and the command line have both. */
export interface InspectionDeps {
  target: GoldmaneConfig;
  clock: Clock;
  clusterApi: ClusterApi | undefined;
  operatorSecret: { namespace: string; name: string } | undefined;
  /** When the files worked last; undefined when that cannot be known. Asked only where they do not. */
  contactsOf: (bundle: TlsBundle) => Promise<Contacts | undefined>;
}

const dialTimeoutMs = 10_000;
/** A Goldmane that restarts is back within seconds: that is not worth a word. */
const looks = 3;
const pauseMs = 5_000;

/** Looks at the files, at Goldmane, at what is remembered of them and at the operator's Secret. */
export async function inspectCertificatesNow(
  { target, clock, clusterApi, operatorSecret, contactsOf }: InspectionDeps,
  { nowMs, signal }: { nowMs: number; signal: AbortSignal },
): Promise<{ findings: CertificateFindings; inspection: Inspection }> {
  const look = () => inspectCertificateFiles(target, { timeoutMs: dialTimeoutMs, signal, nowMs });
  const [inspection, secret] = await Promise.all([
    patiently(look, clock, signal),
    operatorSecret && readOperatorSecret(clusterApi, operatorSecret, signal),
  ]);
  const { bundle, unusable, client, authority, server, handshake } = inspection;
  const findings: CertificateFindings = {
    host: target.host,
    certPath: target.certPath,
    keyPath: target.keyPath,
    caPath: target.caPath,
    unusable: unusable && reasonOf(unusable),
    client,
    authority,
    server,
    handshake: isGoldmaneFailure(handshake) ? { kind: handshake.kind, ...reasonOf(handshake) } : handshake,
    contacts: bundle && handshake !== 'accepted' ? await contactsOf(bundle) : undefined,
    operatorSecret: compared(secret, operatorSecret, bundle),
  };
  return { findings, inspection };
}

async function patiently(
  look: () => Promise<Inspection>,
  clock: Clock,
  signal: AbortSignal,
): Promise<Inspection> {
  for (let looked = 1; ; looked += 1) {
    const inspection = await look();
    if (looked >= looks || !isAway(inspection)) return inspection;
    await clock.sleep(pauseMs, signal);
  }
}

function isAway({ handshake }: Inspection): boolean {
  if (!isGoldmaneFailure(handshake)) return false;
  return ['connection_refused', 'dns', 'timeout', 'unavailable'].includes(handshake.kind);
}

function reasonOf({ what, cure }: GoldmaneFailure): Reason {
  return { what, cure };
}

function compared(
  secret: OperatorSecret | undefined,
  name: { namespace: string; name: string } | undefined,
  bundle: TlsBundle | undefined,
): CertificateFindings['operatorSecret'] {
  if (!secret || !name) return { note: 'not compared: OPERATOR_SECRET is empty' };
  if (secret.seen === 'nothing') return { note: secret.why };
  if (!bundle) return { note: 'not compared: the copy cannot be read' };
  return {
    name: `${name.namespace}/${name.name}`,
    isSame: secret.certFingerprint === bundle.certFingerprint,
  };
}
