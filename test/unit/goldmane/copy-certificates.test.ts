import type { IncomingMessage, ServerResponse } from 'node:http';
import { rm } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { issueCertificates } from '../../../dev/certificates.ts';
import { isFailureOf } from '../../../src/failure/failure.ts';
import type { ClusterApi } from '../../../src/goldmane/cluster-api.ts';
import { copyCertificates, type ClusterFailureKind } from '../../../src/goldmane/copy-certificates.ts';
import { issued, podOf, startApi } from './cluster-api.ts';
import { freePort } from '../../../dev/ports.ts';

const plan = {
  from: {
    secret: { namespace: 'calico-system', name: 'whisker-backend-key-pair' },
    configMap: { namespace: 'calico-system', name: 'tigera-ca-bundle' },
  },
  to: {
    secret: { namespace: 'trail', name: 'goldmane-client-tls' },
    configMap: { namespace: 'trail', name: 'tigera-ca-bundle' },
  },
};
const originalSecret = '/api/v1/namespaces/calico-system/secrets/whisker-backend-key-pair';
const originalBundle = '/api/v1/namespaces/calico-system/configmaps/tigera-ca-bundle';
const secretCopy = '/api/v1/namespaces/trail/secrets/goldmane-client-tls';
const bundleCopy = '/api/v1/namespaces/trail/configmaps/tigera-ca-bundle';
const base64 = (text: string) => Buffer.from(text).toString('base64');
const pairOf = ({ client }: typeof issued) => ({
  'tls.crt': base64(client.certificate),
  'tls.key': base64(client.key),
});
const bundleOf = ({ authority }: typeof issued) => ({ 'tigera-ca-bundle.crt': authority.certificate });
const rotated = await issueCertificates();

const written = z.object({
  metadata: z.object({ name: z.string() }).optional(),
  data: z.record(z.string(), z.string()),
});

type Objects = Map<string, Record<string, string>>;

/** A cluster's API with these objects. `denied`: requests without permission. */
async function cluster(objects: Objects, denied: readonly string[] = []) {
  const writes: string[] = [];
  const api = await startApi((request, response) => void answer(request, response));
  return { api, writes };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url = '' } = request;
    const chunks: Buffer[] = [];
    for await (const chunk of request) if (chunk instanceof Buffer) chunks.push(chunk);
    const end = (status: number, body: object = {}) =>
      void response.writeHead(status).end(JSON.stringify(body));
    if (denied.includes(`${method} ${url}`)) return end(403);
    if (method === 'GET') {
      const found = objects.get(url);
      return found ? end(200, { data: found }) : end(404);
    }
    writes.push(`${method} ${url}`);
    const body = written.parse(JSON.parse(Buffer.concat(chunks).toString('utf8')));
    if (method === 'PATCH') {
      expect(request.headers['content-type']).toBe('application/merge-patch+json');
      objects.set(url, { ...objects.get(url), ...body.data });
      return end(200);
    }
    objects.set(`${url}/${body.metadata?.name}`, body.data);
    return end(201);
  }
}

const copy = (api: ClusterApi | undefined) => copyCertificates(api, plan, new AbortController().signal);

async function outcomes(api: ClusterApi): Promise<string[]> {
  return (await copy(api)).map(({ kind, outcome }) => `${kind} ${outcome}`);
}

function originals(of: typeof issued): Objects {
  return new Map<string, Record<string, string>>([
    [originalSecret, { ...pairOf(of), other: 'not copied' }],
    [originalBundle, bundleOf(of)],
  ]);
}

async function kindOf(failing: Promise<unknown>): Promise<string> {
  const error: unknown = await failing.catch((failure: unknown) => failure);
  return isFailureOf('kubernetes', error)
    ? error.kind
    : expect.fail('it did not fail with a cluster failure');
}

test('copies are created, then kept, and replaced after the operator rotated the originals', async () => {
  const objects = originals(issued);
  const { api, writes } = await cluster(objects);
  expect(await outcomes(api)).toEqual(['ConfigMap created', 'Secret created']);
  expect(objects.get(secretCopy)).toEqual(pairOf(issued));
  expect(await outcomes(api)).toEqual(['ConfigMap unchanged', 'Secret unchanged']);
  expect(writes).toHaveLength(2);
  objects.set(originalSecret, pairOf(rotated)).set(originalBundle, bundleOf(rotated));
  expect(await outcomes(api)).toEqual(['ConfigMap updated', 'Secret updated']);
  expect(objects.get(secretCopy)).toEqual(pairOf(rotated));
  expect(objects.get(bundleCopy)).toEqual(bundleOf(rotated));
});

describe('an unusable original never replaces a copy', () => {
  test.each<[string, ClusterFailureKind, Record<string, string>, Record<string, string>]>([
    ['not base64 of PEM', 'invalid_certificate', { 'tls.crt': 'x', 'tls.key': 'y' }, bundleOf(issued)],
    [
      'a key of another certificate',
      'invalid_certificate',
      { ...pairOf(issued), 'tls.key': pairOf(rotated)['tls.key'] },
      bundleOf(issued),
    ],
    ['a missing key', 'missing', { 'tls.crt': pairOf(issued)['tls.crt'] }, bundleOf(issued)],
    ['an empty bundle', 'missing', pairOf(issued), { 'tigera-ca-bundle.crt': '' }],
    ['a bundle of text', 'invalid_certificate', pairOf(issued), { 'tigera-ca-bundle.crt': 'text' }],
  ])('%s', async (_what, kind, pair, bundle) => {
    const objects: Objects = new Map([
      [originalSecret, pair],
      [originalBundle, bundle],
    ]);
    const { api, writes } = await cluster(objects);
    expect(await kindOf(copy(api))).toBe(kind);
    expect(writes).toEqual([]);
  });
});

describe('the failure has the right kind', () => {
  test.each([
    [`GET ${originalSecret}`],
    [`GET ${bundleCopy}`],
    ['POST /api/v1/namespaces/trail/configmaps'],
    ['POST /api/v1/namespaces/trail/secrets'],
  ])('when %s is denied', async (request) => {
    const { api } = await cluster(originals(issued), [request]);
    expect(await kindOf(copy(api))).toBe('denied');
  });

  test('when an original does not exist', async () => {
    const { api } = await cluster(new Map([[originalSecret, pairOf(issued)]]));
    expect(await kindOf(copy(api))).toBe('missing');
  });

  test('outside a cluster, without a token, and without a response', async () => {
    expect(await kindOf(copy(undefined))).toBe('no_service_account');
    const away = await podOf(await freePort());
    expect(await kindOf(copy(away))).toBe('unavailable');
    await rm(away.tokenPath);
    expect(await kindOf(copy(away))).toBe('no_service_account');
  });
});

test('no message contains a key or a token', async () => {
  const { api } = await cluster(
    new Map<string, Record<string, string>>([
      [originalSecret, { 'tls.crt': base64('secret-content'), 'tls.key': base64('secret-content') }],
      [originalBundle, bundleOf(issued)],
    ]),
  );
  const error: unknown = await copy(api).catch((failure: unknown) => failure);
  expect(String(error)).not.toMatch(/secret-content|the-token|PRIVATE/);
});
