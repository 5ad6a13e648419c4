import type { Clock } from '../time/clock.ts';
import { isGoldmaneFailure, type GoldmaneFailure } from '../goldmane/failure.ts';
import { inspectCertificateFiles, type Inspection } from '../goldmane/inspect.ts';
import type { ClusterApi } from '../goldmane/cluster-api.ts';
import { readOperatorSecret, type OperatorSecret } from '../goldmane/operator-secret.ts';
import type { GoldmaneConfig } from '../config/goldmane-config.ts';
import type { CertificateFindings, Reason } from '../reports/certificate-types.ts';
import type { Contacts, TlsBundle } from '../trail/jobs/tls-contacts.ts';

/** Dependencies of an inspection, provided by the worker and by the command line. */
interface InspectionDeps {
  target: GoldmaneConfig;
  clock: Clock;
  clusterApi: ClusterApi | undefined;
  operatorSecret: { namespace: string; name: string } | undefined;
  /**
   * Reads when Goldmane last accepted the files; undefined if the database cannot be queried. Called only if the
   * handshake fails.
   */
  contactsOf: (bundle: TlsBundle) => Promise<Contacts | undefined>;
}

const dialTimeoutMs = 10_000;
/** Retries cover a Goldmane restart, which takes seconds and is not a finding. */
const attempts = 3;
const pauseMs = 5_000;

/** Inspects the files, tries a handshake with Goldmane, and compares with stored contacts and the operator's Secret. */
export async function inspectCertificatesNow(
  { target, clock, clusterApi, operatorSecret, contactsOf }: InspectionDeps,
  { nowMs, signal }: { nowMs: number; signal: AbortSignal },
): Promise<{ findings: CertificateFindings; inspection: Inspection }> {
  const inspect = () => inspectCertificateFiles(target, { timeoutMs: dialTimeoutMs, signal, nowMs });
  const [inspection, secret] = await Promise.all([
    retryWhileUnreachable(inspect, clock, signal),
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
    operatorSecret: compareSecret(secret, operatorSecret, bundle),
  };
  return { findings, inspection };
}

async function retryWhileUnreachable(
  inspect: () => Promise<Inspection>,
  clock: Clock,
  signal: AbortSignal,
): Promise<Inspection> {
  for (let attempt = 1; ; attempt += 1) {
    const inspection = await inspect();
    if (attempt >= attempts || !isUnreachable(inspection)) return inspection;
    await clock.sleep(pauseMs, signal);
  }
}

function isUnreachable({ handshake }: Inspection): boolean {
  if (!isGoldmaneFailure(handshake)) return false;
  return ['connection_refused', 'dns', 'timeout', 'unavailable'].includes(handshake.kind);
}

function reasonOf({ what, cure }: GoldmaneFailure): Reason {
  return { what, cure };
}

function compareSecret(
  secret: OperatorSecret | undefined,
  name: { namespace: string; name: string } | undefined,
  bundle: TlsBundle | undefined,
): CertificateFindings['operatorSecret'] {
  if (!secret || !name) return { note: 'not compared: OPERATOR_SECRET is empty' };
  if (secret.seen === 'nothing') return { note: secret.why };
  if (!bundle) return { note: 'not compared: our copy cannot be read' };
  return {
    name: `${name.namespace}/${name.name}`,
    isSame: secret.certFingerprint === bundle.certFingerprint,
  };
}
