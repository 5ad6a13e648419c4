import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { Payload, PayloadCodec } from '@temporalio/common';
import proto from '@temporalio/proto';
import type { CodecKey, CodecKeys } from './codec-keys.ts';
import { temporalFailure } from './failure.ts';

/** Names and layout are those of Temporal's encryption samples, so that their codecs can read the payloads too. */
const encoding = Buffer.from('binary/encrypted');
const keyIdField = 'encryption-key-id';
const algorithm = 'aes-256-gcm';
/** NIST SP 800-38D, 8.2: a random nonce of 96 bits. */
const nonceBytes = 12;
const tagBytes = 16;

const { Payload: wire } = proto.temporal.api.common.v1;

/**
 * Encrypts the data that Temporal stores: arguments, results, signals, heartbeats, memos and failure messages. Unencrypted
 * payloads are passed through, so that older histories still work. Without keys it encrypts nothing, and an
 * encrypted payload causes a failure that states which key is missing.
 */
export class EncryptionCodec implements PayloadCodec {
  readonly keys: CodecKeys | undefined;

  constructor(keys: CodecKeys | undefined) {
    this.keys = keys;
  }

  /** Whether there are keys; without them, payloads are not encrypted. */
  get isEncrypting(): boolean {
    return this.keys !== undefined;
  }

  encode(payloads: Payload[]): Promise<Payload[]> {
    const key = this.keys?.current;
    return Promise.resolve(key ? payloads.map((payload) => encrypt(payload, key)) : payloads);
  }

  /** @throws TemporalFailure `codec_key_unknown`, `codec_key_wrong` */
  async decode(payloads: Payload[]): Promise<Payload[]> {
    // An error rejects the promise, as the SDK expects.
    return payloads.map((payload) => (isEncrypted(payload) ? this.#decrypt(payload) : payload));
  }

  #decrypt(payload: Payload): Payload {
    const id = Buffer.from(payload.metadata?.[keyIdField] ?? []).toString('utf8');
    const { keys } = this;
    if (!keys)
      throw temporalFailure(
        'codec_key_unknown',
        `A payload in Temporal is encrypted with the key ${shown(id)}, but TEMPORAL_CODEC_KEY_FILE is not set`,
        'set it to a file that contains this key; no data is lost in the meantime',
      );
    const key = keys.find(id) ?? this.#findAnew(id);
    if (!key)
      throw temporalFailure(
        'codec_key_unknown',
        `A payload in Temporal is encrypted with the key ${shown(id)}, which is not in ${keys.path} (it has ${keys.ids.join(', ')})`,
        'add this key on a separate line, and keep it until no history uses it; no data is lost in the meantime',
      );
    return decrypt(payload, key, keys.path);
  }

  /** The key may have just been added to the file. */
  #findAnew(id: string): CodecKey | undefined {
    this.keys?.reload();
    return this.keys?.find(id);
  }
}

export function isEncrypted({ metadata }: Payload): boolean {
  return encoding.equals(metadata?.['encoding'] ?? Buffer.alloc(0));
}

function encrypt(payload: Payload, { id, secret }: CodecKey): Payload {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv(algorithm, secret, nonce);
  const data = Buffer.concat([
    nonce,
    cipher.update(wire.encode(payload).finish()),
    cipher.final(),
    cipher.getAuthTag(),
  ]);
  return { metadata: { encoding, [keyIdField]: Buffer.from(id) }, data };
}

function decrypt({ data }: Payload, { id, secret }: CodecKey, path: string): Payload {
  const bytes = Buffer.from(data ?? []);
  try {
    const decipher = createDecipheriv(algorithm, secret, bytes.subarray(0, nonceBytes), {
      authTagLength: tagBytes,
    });
    decipher.setAuthTag(bytes.subarray(-tagBytes));
    const plain = Buffer.concat([decipher.update(bytes.subarray(nonceBytes, -tagBytes)), decipher.final()]);
    const { metadata, data: content } = wire.decode(plain);
    return { metadata, data: content };
  } catch {
    throw temporalFailure(
      'codec_key_wrong',
      `The key ${shown(id)} in ${path} cannot decrypt a payload in Temporal: it is a different key with the same id, or the payload was altered`,
      'restore the original key with this id, and use a new id for the new key; no data is lost in the meantime',
    );
  }
}

/** Ids in payloads are untrusted. */
function shown(id: string): string {
  return JSON.stringify(id.slice(0, 64));
}
