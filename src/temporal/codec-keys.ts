import { errorCode } from '../failure/thrown.ts';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { configFailure } from '../config/config-failure.ts';
import { temporalFailure, type TemporalFailure } from './failure.ts';

export interface CodecKey {
  id: string;
  /** 32 bytes, for AES-256. */
  secret: Buffer;
}

const keyBytes = 32;
const idPattern = /^[A-Za-z0-9._-]{1,64}$/;
const format =
  'each line must be <id>:<key>, where the key is 32 random bytes in base64; create one with: echo "2026-01:$(openssl rand -base64 32)"';

/** The keys of a file: the first encrypts, all decrypt. */
export class CodecKeys {
  readonly path: string;
  #keys: readonly CodecKey[];
  #digest: string;

  /** @throws TemporalFailure `codec_keys` */
  constructor(path: string) {
    this.path = path;
    const { keys, digest } = readKeys(path);
    this.#keys = keys;
    this.#digest = digest;
  }

  get current(): CodecKey {
    const [first] = this.#keys;
    if (!first) throw unusable(this.path, ' contains no key');
    return first;
  }

  get ids(): string[] {
    return this.#keys.map(({ id }) => id);
  }

  find(id: string): CodecKey | undefined {
    return this.#keys.find((key) => key.id === id);
  }

  /**
   * Reads the file again; if it is invalid, the current keys stay in use.
   * @returns whether the keys changed
   * @throws TemporalFailure `codec_keys`
   */
  reload(): boolean {
    const { keys, digest } = readKeys(this.path);
    if (digest === this.#digest) return false;
    this.#keys = keys;
    this.#digest = digest;
    return true;
  }
}

/**
 * @returns the keys of TEMPORAL_CODEC_KEY_FILE
 * @throws ConfigFailure when it is not set, TemporalFailure `codec_keys`
 */
export function requiredCodecKeys(env: NodeJS.ProcessEnv): CodecKeys {
  const path = env['TEMPORAL_CODEC_KEY_FILE']?.trim();
  if (!path)
    throw configFailure([`TEMPORAL_CODEC_KEY_FILE is not set; set it to the worker's key file (${format})`]);
  return new CodecKeys(path);
}

function readKeys(path: string): { keys: CodecKey[]; digest: string } {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const code = errorCode(error, 'unknown error');
    throw temporalFailure(
      'codec_keys',
      `The key file ${path} (TEMPORAL_CODEC_KEY_FILE) ${code === 'ENOENT' ? 'is missing' : `cannot be read (${code})`}`,
      'mount the secret or correct the path; the file is read again twice a minute',
    );
  }
  return { keys: parseKeys(path, text), digest: createHash('sha256').update(text).digest('hex') };
}

function parseKeys(path: string, text: string): CodecKey[] {
  const keys: CodecKey[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    const content = line.trim();
    if (content === '' || content.startsWith('#')) continue;
    const key = parseKey(content);
    if (typeof key === 'string') throw unusable(path, `, line ${index + 1}, ${key}`);
    if (keys.some(({ id }) => id === key.id))
      throw unusable(path, `, line ${index + 1}, repeats the id ${key.id}`);
    keys.push(key);
  }
  if (keys.length === 0) throw unusable(path, ' contains no key');
  return keys;
}

/** @returns the key, or a description of what is wrong with it that does not quote it */
function parseKey(line: string): CodecKey | string {
  const at = line.indexOf(':');
  const id = line.slice(0, at).trim();
  if (at < 0 || !idPattern.test(id))
    return 'does not begin with an id (letters, digits, ".", "_" or "-") and a colon';
  const encoded = line.slice(at + 1).trim();
  const secret = Buffer.from(encoded, 'base64');
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(encoded)) return 'has a key that is not base64';
  return secret.length === keyBytes
    ? { id, secret }
    : `has a key of ${secret.length} bytes instead of ${keyBytes}`;
}

function unusable(path: string, problem: string): TemporalFailure {
  return temporalFailure('codec_keys', `The key file ${path} (TEMPORAL_CODEC_KEY_FILE)${problem}`, format);
}
