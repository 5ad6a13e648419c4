import { X509Certificate } from 'node:crypto';

const label = 'CERTIFICATE';
const begin = new RegExp(`-----BEGIN ${label}-----`, 'g');
const end = new RegExp(`-----END ${label}-----`, 'g');
const block = new RegExp(`-----BEGIN ${label}-----[^-]+-----END ${label}-----`, 'g');

const maxSubjectLength = 200;

interface PemCertificates {
  /** Each certificate including its BEGIN and END lines, in file order. */
  blocks: string[];
  /**
   * A certificate has lost its beginning or its end, for example because the file was truncated and another one appended.
   * OpenSSL then rejects the file or stops reading at that certificate; other libraries skip it.
   */
  isCutOff: boolean;
}

/** Begins a new line between blocks that were joined without one, because OpenSSL ignores the block after it. */
export function separatePemBlocks(text: string): string {
  return text.replaceAll(/-----(?=-----BEGIN )/g, '-----\n');
}

/** Finds the certificates in a PEM file (RFC 7468) and ignores everything else. */
export function splitPemCertificates(text: string): PemCertificates {
  const blocks = text.match(block) ?? [];
  const [begins, ends] = [text.match(begin) ?? [], text.match(end) ?? []];
  return { blocks, isCutOff: begins.length !== blocks.length || ends.length !== blocks.length };
}

/**
 * Names shared by several different CAs in a PEM file, as after a rotation. For a certificate without an authority key
 * identifier, OpenSSL tries only the first CA of that name and fails with CERT_SIGNATURE_FAILURE if another one signed
 * it.
 */
export function repeatedSubjects(text: string): string[] {
  const keysOf = new Map<string, Set<string>>();
  for (const block of splitPemCertificates(text).blocks) {
    const certificate = parse(block);
    if (!certificate) continue;
    const subject = certificate.subject.replaceAll('\n', ', ').slice(0, maxSubjectLength);
    const keys = keysOf.get(subject) ?? new Set();
    keysOf.set(subject, keys.add(certificate.fingerprint256));
  }
  return [...keysOf].flatMap(([subject, keys]) => (keys.size > 1 ? [subject] : []));
}

function parse(block: string): X509Certificate | undefined {
  try {
    return new X509Certificate(block);
  } catch {
    return undefined;
  }
}
