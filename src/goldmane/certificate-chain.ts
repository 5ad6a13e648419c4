import type { X509Certificate } from 'node:crypto';

const maxChain = 10;

/** A certificate authority of the bundle that signed a certificate, directly or through intermediates. */
export interface Anchor {
  readonly authority: X509Certificate;
  /** The earliest expiry of the certificates above the leaf, including the authority. */
  readonly notAfter: Date;
}

/**
 * The authority that signed `leaf` through the intermediates in `chain`. If several did, the one that expires last,
 * because a renewed authority is added to the bundle before the old one is removed. Undefined if no authority of the
 * bundle signed it.
 */
export function findAnchor(
  leaf: X509Certificate,
  chain: readonly X509Certificate[],
  authorities: readonly X509Certificate[],
  depth = 0,
): Anchor | undefined {
  const anchors = authorities
    .filter((ca) => ca.fingerprint256 === leaf.fingerprint256 || isIssuer(ca, leaf))
    .map((authority) => ({ authority, notAfter: notAfter(authority) }));
  if (anchors.length === 0 && depth < maxChain)
    for (const intermediate of chain) {
      if (intermediate.fingerprint256 === leaf.fingerprint256 || !isIssuer(intermediate, leaf)) continue;
      const above = findAnchor(intermediate, chain, authorities, depth + 1);
      if (above) anchors.push({ ...above, notAfter: earlier(above.notAfter, notAfter(intermediate)) });
    }
  return anchors.toSorted((a, b) => b.notAfter.getTime() - a.notAfter.getTime())[0];
}

/** When the certificate expires. */
export function notAfter(certificate: X509Certificate): Date {
  return new Date(certificate.validTo);
}

function earlier(a: Date, b: Date): Date {
  return a < b ? a : b;
}

function isIssuer(issuer: X509Certificate, certificate: X509Certificate): boolean {
  try {
    return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
  } catch {
    // OpenSSL cannot check signatures made with an unknown kind of key.
    return false;
  }
}
