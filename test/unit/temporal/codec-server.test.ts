import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { CodecKeys } from '../../../src/temporal/codec-keys.ts';
import { EncryptionCodec } from '../../../src/temporal/codec.ts';
import { serveCodec, type CodecServerOptions } from '../../../src/temporal/codec-server.ts';
import { portOf } from '../../../dev/ports.ts';
import { folderPerFile } from '../../support/folder.ts';

const folder = folderPerFile();
const file = join(folder, 'keys');
await writeFile(file, `2026:${randomBytes(32).toString('base64')}\n`);
const codec = new EncryptionCodec(new CodecKeys(file));
const other = join(folder, 'other');
await writeFile(other, `2025:${randomBytes(32).toString('base64')}\n`);
const otherCodec = new EncryptionCodec(new CodecKeys(other));

const ui = 'http://127.0.0.1:8233';
const token = 'a-token-of-some-length';
const authorization = `Bearer ${token}`;
const base64 = (text: string) => Buffer.from(text).toString('base64');
const plain = { metadata: { encoding: base64('json/plain') }, data: base64('"prometheus"') };

async function start(options: Partial<CodecServerOptions> = {}) {
  const failures: unknown[] = [];
  const server = await serveCodec({
    codec,
    host: '127.0.0.1',
    port: 0,
    origins: [ui],
    token,
    requiresToken: false,
    onFailure: (error) => failures.push(error),
    ...options,
  });
  onTestFinished(() => void server.close());
  const post = (path: string, body: unknown, headers: Record<string, string> = { authorization }) =>
    fetch(`http://127.0.0.1:${portOf(server)}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  return { post, failures, url: `http://127.0.0.1:${portOf(server)}` };
}

test('encodes and decodes according to the remote codec protocol', async () => {
  const { post } = await start();
  const encoded: unknown = await (await post('/encode', { payloads: [plain, plain] })).json();
  expect(encoded).toMatchObject({
    payloads: [
      { metadata: { encoding: base64('binary/encrypted'), 'encryption-key-id': base64('2026') } },
      { metadata: { encoding: base64('binary/encrypted') } },
    ],
  });
  expect(await (await post('/decode', encoded)).json()).toEqual({ payloads: [plain, plain] });
  expect(await (await post('/decode', { payloads: [plain] })).json()).toEqual({ payloads: [plain] });
  expect(await (await post('/decode', {})).json()).toEqual({ payloads: [] });
});

test('a payload with an unknown key is reported, and the others are still decoded', async () => {
  const { post, failures } = await start();
  const [foreign] = await otherCodec.encode([{ metadata: {}, data: Buffer.from('x') }]);
  const [own] = await codec.encode([
    { metadata: { encoding: Buffer.from('json/plain') }, data: Buffer.from('"prometheus"') },
  ]);
  const toJson = (payload: typeof own) => ({
    metadata: Object.fromEntries(
      Object.entries(payload?.metadata ?? {}).map(([name, bytes]): [string, string] => [
        name,
        Buffer.from(bytes).toString('base64'),
      ]),
    ),
    data: Buffer.from(payload?.data ?? []).toString('base64'),
  });
  const answer: unknown = await (await post('/decode', { payloads: [toJson(foreign), toJson(own)] })).json();
  expect(answer).toEqual({ payloads: [toJson(foreign), plain] });
  expect(failures).toMatchObject([{ kind: 'codec_key_unknown' }]);
});

describe('access', () => {
  const body = { payloads: [plain] };
  test.each<[number, Record<string, string>, Partial<CodecServerOptions>]>([
    [200, { authorization }, {}],
    [200, { origin: ui }, {}],
    [200, { origin: ui }, { token: undefined }],
    [401, {}, {}],
    [401, { authorization: 'Bearer wrong' }, {}],
    [401, { authorization: token }, {}],
    [401, {}, { token: undefined }],
    [401, { authorization: 'Bearer undefined' }, { token: undefined }],
    [403, { origin: 'http://evil.example' }, {}],
    [403, { origin: 'http://evil.example', authorization }, {}],
    [403, { origin: 'null' }, {}],
    [401, { origin: ui }, { requiresToken: true }],
    [200, { origin: ui, authorization }, { requiresToken: true }],
  ])('status %i with the headers %j and the options %j', async (code, headers, options) => {
    const { post } = await start(options);
    for (const path of ['/decode', '/encode']) expect((await post(path, body, headers)).status).toBe(code);
  });

  test("a browser's preflight is answered", async () => {
    const { url } = await start();
    const preflight = (origin: string) =>
      fetch(`${url}/decode`, {
        method: 'OPTIONS',
        headers: {
          origin,
          'access-control-request-method': 'POST',
          'access-control-request-headers': 'content-type,x-namespace,authorization',
        },
      });
    const allowed = await preflight(ui);
    expect(allowed.status).toBe(204);
    expect(allowed.headers.get('access-control-allow-origin')).toBe(ui);
    expect(allowed.headers.get('access-control-allow-headers')).toMatch(/X-Namespace/);
    const refused = await preflight('http://evil.example');
    expect(refused.status).toBe(403);
    expect(refused.headers.get('access-control-allow-origin')).toBeNull();
  });
});

test.each([
  [404, '/', '{}'],
  [404, '/decode/more', '{}'],
  [400, '/decode', 'no JSON'],
  [400, '/decode', '[]'],
  [400, '/decode', '{"payloads":[{"data":"not base64!"}]}'],
  [400, '/decode', '{"payloads":[{"metadata":{"encoding":5}}]}'],
  [413, '/decode', `{"payloads":[{"data":"${'A'.repeat(33 * 1024 * 1024)}"}]}`],
])('status %i for %s', async (code, path, body) => {
  const { post } = await start();
  expect((await post(path, body)).status).toBe(code);
});

test('only POST is answered', async () => {
  const { url } = await start();
  const response = await fetch(`${url}/decode`, { headers: { authorization } });
  expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST, OPTIONS']);
});
