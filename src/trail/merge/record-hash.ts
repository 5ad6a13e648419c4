import { Buffer } from 'node:buffer';
import { hash } from 'node:crypto';
import { missingRow } from '../database/database-failure.ts';
import type { RecordKey } from '../record.ts';

/** Computes the 64-bit hash that the ledger stores for a record. */
export interface RecordHasher {
  /** Computed once per object. */
  hashOf(key: RecordKey): bigint;
  /** @param content as in `RecordKey` */
  hash(content: string): bigint;
}

/** Content that is a digest starts with this mark: see `contentOf` in src/goldmane/decoder/flow-key.ts. */
const digestMark = '\u00ff';

let latest: { salt: Buffer; hasher: RecordHasher } | undefined;

/**
 * The first 64 bits, big-endian and unsigned, of SHA-256(salt, content). Nobody can construct two records with the same
 * hash without knowing the salt (docs/decisions/0002-identity-is-content.md). The salt is read in the same transaction
 * as the rows whose hashes are compared, so the hashes of another database under the same URL are never compared with
 * the wrong salt.
 * @param salt `record_salt.salt`
 */
export function saltedHasher(salt: Buffer | null | undefined): RecordHasher {
  if (!salt) throw missingRow('record_salt');
  if (!latest?.salt.equals(salt)) {
    // The salt with room for the content after it: hashing one buffer in one call takes half the time of two updates.
    let input = Buffer.concat([salt, Buffer.alloc(1_024)]);
    const hasher = remembering((content) => {
      const length = salt.length + content.length;
      if (length > input.length) input = Buffer.concat([salt, Buffer.alloc(content.length)]);
      input.write(content, salt.length, 'latin1');
      return first64Bits(input.subarray(0, length));
    });
    latest = { salt, hasher };
  }
  return latest.hasher;
}

/** For rows created before the database had a salt: the first 64 bits of the SHA-256 of the canonical encoding. */
export const unsaltedHasher = remembering((content) =>
  content.startsWith(digestMark)
    ? Buffer.from(content, 'latin1').readBigUInt64BE(1)
    : first64Bits(Buffer.from(content, 'latin1')),
);

function remembering(hashContent: (content: string) => bigint): RecordHasher {
  const known = new WeakMap<RecordKey, bigint>();
  return {
    hash: hashContent,
    hashOf(key) {
      let found = known.get(key);
      if (found === undefined) known.set(key, (found = hashContent(key.content)));
      return found;
    },
  };
}

function first64Bits(bytes: Buffer): bigint {
  return BigInt(`0x${hash('sha256', bytes, 'hex').slice(0, 16)}`);
}
