import { expect, test } from 'vitest';
import { createAuthority } from '../../../dev/certificates.ts';
import { repeatedSubjects, separatePemBlocks, splitPemCertificates } from '../../../src/text/pem.ts';

const [{ certificate: a }, { certificate: b }, { certificate: other }] = await Promise.all([
  createAuthority({ commonName: 'signer' }),
  createAuthority({ commonName: 'signer' }),
  createAuthority({ commonName: 'another signer' }),
]);

test('finds each certificate among text, keys and CRLF', () => {
  const text = `# signer\r\n${a.replaceAll('\n', '\r\n')}-----BEGIN PRIVATE KEY-----\nMA==\n-----END PRIVATE KEY-----\n${b}`;
  const { blocks, isCutOff } = splitPemCertificates(text);
  expect(blocks).toHaveLength(2);
  expect(isCutOff).toBe(false);
});

test('blocks that were joined without a line break are separated, and nothing else changes', () => {
  const joined = `${other.trimEnd()}${a.trimEnd()}${b}`;
  expect(separatePemBlocks(joined)).toBe(`${other}${a}${b}`);
  expect(separatePemBlocks(`${a}\n${b}`)).toBe(`${a}\n${b}`);
});

test('a certificate truncated at its beginning or end is detected at any position', () => {
  // The last character is the line break.
  for (let length = 27; length < a.length - 1; length += 1) {
    expect(splitPemCertificates(a.slice(0, length) + b).isCutOff).toBe(true);
    expect(splitPemCertificates(b + a.slice(0, length)).isCutOff).toBe(true);
  }
  for (let start = 1; start < a.length - 30; start += 1)
    expect(splitPemCertificates(a.slice(start) + b).isCutOff).toBe(true);
});

test('names shared by several CAs are found; a repeated CA does not count', () => {
  expect(repeatedSubjects(a + other + b)).toEqual(['CN=signer']);
  expect(repeatedSubjects(a + other + a)).toEqual([]);
  expect(repeatedSubjects('')).toEqual([]);
});
