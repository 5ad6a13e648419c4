import type { X509Certificate } from 'node:crypto';
import { findAnchor, notAfter, type Anchor } from './certificate-chain.ts';
import { checkAcceptable, readCertificateFiles, type CertificateFiles } from './certificates.ts';
import { isGoldmaneFailure, type GoldmaneFailure, type CertificateBundle } from './failure.ts';
import { tryHandshake, type HandshakeLimits } from './handshake.ts';
import { readServerCertificate } from './server-certificate.ts';
import type { GoldmaneConfig } from '../config/goldmane-config.ts';

/** Names and validity of one certificate. */
interface CertificateFacts {
  subject: string;
  issuer: string;
  notBefore: Date;
  notAfter: Date;
}

/** The state of the certificates at one moment, including unusable ones. */
export interface Inspection {
  bundle: CertificateBundle | undefined;
  /** Why the files cannot be used, independent of Goldmane. */
  unusable: GoldmaneFailure | undefined;
  client: (CertificateFacts & { keyMatches: boolean; isSignedByBundle: boolean | undefined }) | undefined;
  /**
   * The earliest expiry of the bundle's authorities that the client's and Goldmane's certificates depend on; the others
   * in the bundle do not matter. Undefined if neither depends on any.
   */
  authority: { subject: string; notAfter: Date } | undefined;
  /** Goldmane's certificate, regardless of who signed it; undefined if none was presented. */
  server: CertificateFacts | undefined;
  /** Undefined if no connection was tried because it could only fail. */
  handshake: 'accepted' | GoldmaneFailure | undefined;
}

/**
 * Reads the files and Goldmane's certificate, and connects as the readers do. Throws only the signal's reason.
 * @param nowMs the machine's time, which TLS uses
 */
export async function inspectCertificateFiles(
  target: GoldmaneConfig,
  limits: HandshakeLimits & { nowMs: number },
): Promise<Inspection> {
  const [files, shown] = await Promise.all([
    readCertificateFiles(target).catch(asFailure),
    readServerCertificate(target, limits),
  ]);
  limits.signal.throwIfAborted();
  const server = shown && factsOf(shown.leaf);
  if (isGoldmaneFailure(files))
    return {
      bundle: undefined,
      unusable: files,
      client: undefined,
      authority: undefined,
      server,
      handshake: undefined,
    };
  const { leaf, chain, authorities, privateKey, bundle } = files;
  const anchor = authorities && findAnchor(leaf, chain, authorities);
  const serverAnchor = authorities && shown && findAnchor(shown.leaf, shown.chain, authorities);
  const client = {
    ...factsOf(leaf),
    keyMatches: leaf.checkPrivateKey(privateKey),
    isSignedByBundle: authorities && anchor !== undefined,
  };
  const unusable = client.keyMatches ? acceptable(files, target) : undefined;
  const isInTime = client.notBefore.getTime() <= limits.nowMs && limits.nowMs <= client.notAfter.getTime();
  const canBeTried = client.keyMatches && !unusable && isInTime;
  return {
    bundle,
    unusable,
    client,
    authority: soonest([anchor, serverAnchor]),
    server,
    handshake: canBeTried
      ? await shake(target, { ...files, isSignedByBundle: client.isSignedByBundle }, limits)
      : undefined,
  };
}

async function shake(
  target: GoldmaneConfig,
  certificates: CertificateFiles & { isSignedByBundle: boolean | undefined },
  limits: HandshakeLimits,
): Promise<'accepted' | GoldmaneFailure> {
  const failure = await tryHandshake(target, certificates, limits).catch(asFailure);
  return failure ?? 'accepted';
}

function acceptable(files: CertificateFiles, target: GoldmaneConfig): GoldmaneFailure | undefined {
  const { ca, cert, key } = files;
  try {
    checkAcceptable({ ca, cert, key }, target);
    return undefined;
  } catch (error) {
    return asFailure(error);
  }
}

function factsOf(certificate: X509Certificate): CertificateFacts {
  return {
    subject: oneLine(certificate.subject),
    issuer: oneLine(certificate.issuer),
    notBefore: new Date(certificate.validFrom),
    notAfter: notAfter(certificate),
  };
}

/**
 * Node puts each part of a name on its own line. Names come from untrusted certificates, so their length is limited.
 */
function oneLine(name: string | undefined): string {
  return (name ?? '').replaceAll('\n', ', ').slice(0, 200) || '(no name)';
}

function soonest(anchors: readonly (Anchor | undefined)[]): Inspection['authority'] {
  const [first] = anchors
    .filter((anchor) => anchor !== undefined)
    .toSorted((a, b) => a.notAfter.getTime() - b.notAfter.getTime());
  return first && { subject: oneLine(first.authority.subject), notAfter: first.notAfter };
}

function asFailure(error: unknown): GoldmaneFailure {
  if (isGoldmaneFailure(error)) return error;
  throw error;
}
