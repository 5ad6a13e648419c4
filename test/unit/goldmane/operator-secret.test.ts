import { X509Certificate } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { issueCertificates } from '../../../dev/certificates.ts';
import { clusterApiOf, type ClusterApi } from '../../../src/goldmane/cluster-api.ts';
import { readOperatorSecret } from '../../../src/goldmane/operator-secret.ts';
import { issued, podOf, startApi } from './cluster-api.ts';
import { freePort } from '../../../dev/ports.ts';

const secret = { namespace: 'calico-system', name: 'whisker-backend-key-pair' };
const never = new AbortController().signal;
const base64 = (text: string) => Buffer.from(text).toString('base64');

const read = (api: ClusterApi | undefined) => readOperatorSecret(api, secret, never);

test('the certificate of the Secret is read with the pod’s token, and its key is not kept', async () => {
  const asked: unknown[] = [];
  const api = await startApi((request, response) => {
    asked.push([request.method, request.url, request.headers.authorization]);
    const data = { 'tls.crt': base64(issued.client.certificate), 'tls.key': base64(issued.client.key) };
    response.end(JSON.stringify({ kind: 'Secret', data }));
  });
  const leaf = new X509Certificate(issued.client.certificate);
  expect(await read(api)).toEqual({
    seen: 'certificate',
    certFingerprint: leaf.fingerprint256.replaceAll(':', '').toLowerCase(),
    notAfter: new Date(leaf.validTo),
  });
  expect(asked).toEqual([
    ['GET', '/api/v1/namespaces/calico-system/secrets/whisker-backend-key-pair', 'Bearer the-token'],
  ]);
});

describe('an unknown result has a reason and is not an error', () => {
  test.each([
    [401, '', /cannot be read \(401\)/],
    [403, '{"reason":"Forbidden"}', /cannot be read \(403\): the optional Role/],
    [404, '', /does not exist \(404\)/],
    [500, '', /the API returned status 500/],
    [200, 'no JSON', /has no certificate/],
    [200, '{"data":{}}', /has no certificate/],
    [200, JSON.stringify({ data: { 'tls.crt': base64('secret-content') } }), /has no certificate/],
  ])('if the API answers %d %s', async (status, body, why) => {
    const api = await startApi((_request, response) => response.writeHead(status).end(body));
    const answer = await read(api);
    expect(answer).toEqual({ seen: 'nothing', why: expect.stringMatching(why) });
    expect(JSON.stringify(answer)).not.toMatch(/secret-content|the-token/);
  });

  test('outside a cluster', async () => {
    expect(clusterApiOf({})).toBeUndefined();
    expect(await read(undefined)).toMatchObject({ why: expect.stringMatching(/does not run in a pod/) });
  });

  test('in a pod without a token', async () => {
    const api = await podOf(await freePort());
    await rm(api.tokenPath);
    expect(await read(api)).toMatchObject({ why: expect.stringMatching(/no service account token/) });
  });

  test('if the API does not answer, or its certificate is not signed by the cluster’s CA', async () => {
    const away = await podOf(await freePort());
    expect(await read(away)).toMatchObject({ why: expect.stringMatching(/ECONNREFUSED/) });
    const others = await issueCertificates();
    const api = await startApi((_request, response) => response.end('{}'));
    const misled = await podOf(api.port, others.authority.certificate);
    expect(await read(misled)).toMatchObject({
      why: expect.stringMatching(/could not be reached \([A-Z_]+\)/),
    });
  });
});

test('the API’s address is taken from the variables that Kubernetes sets', () => {
  expect(clusterApiOf({ KUBERNETES_SERVICE_HOST: '10.96.0.1', KUBERNETES_SERVICE_PORT: '6443' })).toEqual({
    host: '10.96.0.1',
    port: 6443,
    tokenPath: '/var/run/secrets/kubernetes.io/serviceaccount/token',
    caPath: '/var/run/secrets/kubernetes.io/serviceaccount/ca.crt',
  });
});
