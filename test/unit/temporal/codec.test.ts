import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CodecKeys } from '../../../src/temporal/codec-keys.ts';
import { EncryptionCodec } from '../../../src/temporal/codec.ts';
import { folderPerFile } from '../../support/folder.ts';

const folder = folderPerFile();

const line = (id: string) => `${id}:${randomBytes(32).toString('base64')}\n`;
const [old, current] = [line('2025'), line('2026')];
let files = 0;
async function fileOf(content: string): Promise<string> {
  const path = join(folder, `keys-${(files += 1)}`);
  await writeFile(path, content);
  return path;
}
const codecOf = async (content: string) => new EncryptionCodec(new CodecKeys(await fileOf(content)));
const payloadOf = (value: unknown): Payload => defaultPayloadConverter.toPayload(value);
/** Payloads in a comparable form, whether bytes are a Buffer or not. */
const plainOf = (payloads: readonly Payload[]) =>
  payloads.map(({ metadata, data }) => ({
    metadata: Object.entries(metadata ?? {}).map(([name, bytes]) => [name, Buffer.from(bytes).toString()]),
    data: data ? Buffer.from(data).toString('base64') : '',
  }));
const textOf = ({ data }: Payload) => Buffer.from(data ?? []).toString('latin1');

test('an encoded value is decoded to the same value and does not reveal it', async () => {
  const codec = await codecOf(current);
  await fc.assert(
    fc.asyncProperty(fc.array(fc.json({ maxDepth: 2 })), async (values) => {
      const payloads = values.map((value) => payloadOf({ value, marker: 'name-of-a-namespace' }));
      const encoded = await codec.encode(payloads);
      for (const payload of encoded) expect(textOf(payload)).not.toContain('name-of-a-namespace');
      expect(plainOf(await codec.decode(encoded))).toEqual(plainOf(payloads));
    }),
    { numRuns: 50 },
  );
});

test('the same value is encrypted differently each time', async () => {
  const codec = await codecOf(current);
  const [one, other] = await codec.encode([payloadOf('x'), payloadOf('x')]);
  expect(one?.data).not.toEqual(other?.data);
});

test('unencrypted payloads are returned unchanged', async () => {
  const plain = [payloadOf({ a: 1 }), payloadOf(undefined), payloadOf(new Uint8Array([1, 2]))];
  expect(await (await codecOf(current)).decode(plain)).toEqual(plain);
  expect(await new EncryptionCodec(undefined).decode(plain)).toEqual(plain);
  expect(await new EncryptionCodec(undefined).encode(plain)).toEqual(plain);
});

test('the first key encrypts and all decrypt', async () => {
  const before = await (await codecOf(old)).encode([payloadOf('before')]);
  const codec = await codecOf(`# rotated\n\n${current}${old}`);
  expect(plainOf(await codec.decode(before))).toEqual(plainOf([payloadOf('before')]));
  const after = await codec.encode([payloadOf('after')]);
  expect(plainOf(await (await codecOf(current)).decode(after))).toEqual(plainOf([payloadOf('after')]));
});

test('a key added to the file is used without a restart', async () => {
  const path = await fileOf(old);
  const codec = new EncryptionCodec(new CodecKeys(path));
  const encoded = await (await codecOf(current)).encode([payloadOf(1)]);
  await expect(codec.decode(encoded)).rejects.toMatchObject({ kind: 'codec_key_unknown', retryable: true });
  await writeFile(path, old + current);
  expect(plainOf(await codec.decode(encoded))).toEqual(plainOf([payloadOf(1)]));
});

test('a missing key, a different key with the same id and an altered payload are distinguished', async () => {
  const encoded = await (await codecOf(current)).encode([payloadOf(1)]);
  await expect(new EncryptionCodec(undefined).decode(encoded)).rejects.toMatchObject({
    kind: 'codec_key_unknown',
    message: expect.stringMatching(/"2026".*TEMPORAL_CODEC_KEY_FILE/),
  });
  await expect((await codecOf(old)).decode(encoded)).rejects.toMatchObject({ kind: 'codec_key_unknown' });
  await expect((await codecOf(line('2026'))).decode(encoded)).rejects.toMatchObject({
    kind: 'codec_key_wrong',
  });
  const [payload = {}] = encoded;
  const codec = await codecOf(current);
  for (const data of [
    new Uint8Array(),
    new Uint8Array(20),
    payload.data?.map((byte, at) => (at === 30 ? byte ^ 1 : byte)),
  ])
    await expect(codec.decode([{ ...payload, ...(data ? { data } : {}) }])).rejects.toMatchObject({
      kind: 'codec_key_wrong',
    });
});

test.each([
  ['', 'contains no key'],
  ['# nothing\n', 'contains no key'],
  ['no-colon\n', 'line 1'],
  [`:${randomBytes(32).toString('base64')}`, 'line 1'],
  [`${old}short:${randomBytes(16).toString('base64')}`, '16 bytes'],
  [`a:not*base64`, 'not base64'],
  [old + old, 'repeats the id 2025'],
])('a key file that contains %j is rejected, without quoting it', async (content, problem) => {
  const path = await fileOf(content);
  expect(() => new CodecKeys(path)).toThrow(
    expect.objectContaining({ kind: 'codec_keys', message: expect.stringContaining(problem) }),
  );
});

test('if the file becomes unusable, the current keys are kept', async () => {
  const path = await fileOf(current);
  const keys = new CodecKeys(path);
  await writeFile(path, 'broken');
  expect(() => keys.reload()).toThrow(expect.objectContaining({ kind: 'codec_keys' }));
  expect(keys.ids).toEqual(['2026']);
  await writeFile(path, `${line('2027')}${current}`);
  expect(keys.reload()).toBe(true);
  expect(keys.current.id).toBe('2027');
});
