import { request } from 'node:http';
import type { Server } from 'node:http';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Failure } from '../../../src/failure/failure.ts';
import { serveMap, type MapSource } from '../../../src/web/serve-map.ts';
import { portOf } from '../../../dev/ports.ts';

const longPage = `<html>${'immich'.repeat(1_000)}</html>`;
let server: Server;
let reads = 0;
let fails: unknown;
const errors: unknown[] = [];

const source: MapSource = {
  readMap: () => {
    reads += 1;
    if (fails !== undefined) return Promise.reject(fails);
    return Promise.resolve({
      madeAt: '2026-11-27T12:00:00.000Z',
      timeZone: 'UTC',
      cluster: '',
      temporalUiUrl: null,
      trailBegan: null,
      namespaces: [],
      edges: [],
      externals: [],
      externalDays: 30,
      coverage: [],
    });
  },
  readNamespace: (name) => Promise.resolve({ name, periodDays: 30, isCut: false, rows: [] }),
  readAllowlist: (name) => Promise.resolve(name === 'quiet' ? undefined : 'kind: StagedNetworkPolicy\n'),
  readRuns: () => Promise.resolve([]),
  readChanges: (from, to) =>
    Promise.resolve({
      from: from.toISOString(),
      to: to.toISOString(),
      silentDays: 7,
      notCovered: [],
      appeared: [],
      fellSilent: [],
      allowedToDenied: [],
      deniedToAllowed: [],
      newPorts: [],
    }),
  readHealth: () => Promise.resolve({ status: 'PASS', detail: '', checks: [] }),
  readIncident: () => Promise.reject(new Error('secret detail')),
};

beforeEach(async () => {
  reads = 0;
  fails = undefined;
  errors.length = 0;
  server = await serveMap({
    page: { html: longPage, policy: "default-src 'none'" },
    source,
    host: '127.0.0.1',
    port: 0,
    hostNames: ['map.example'],
    onError: (error) => errors.push(error),
  });
});
afterEach(() => new Promise((resolve) => server.close(resolve)));

function ask(
  path: string,
  { method = 'GET', ...headers }: { method?: string; host?: string; 'accept-encoding'?: string } = {},
): Promise<{ status: number; body: string; bytes: Buffer; headers: Record<string, unknown> }> {
  const port = portOf(server);
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, path, method, agent: false, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const bytes = Buffer.concat(chunks);
        resolve({
          status: response.statusCode ?? 0,
          body: bytes.toString(),
          bytes,
          headers: response.headers,
        });
      });
    });
    sent.on('error', reject).end();
  });
}

test('the page is sent with its content security policy, and nothing is cached', async () => {
  const { status, headers } = await ask('/');
  expect([status, headers['content-security-policy'], headers['cache-control']]).toEqual([
    200,
    "default-src 'none'",
    'no-store',
  ]);
});

test.each([
  ['gzip, deflate, br', true],
  ['*', true],
  ['GZIP;q=0.5', true],
  ['gzip;q=0, *', false],
  ['br', false],
  ['', false],
])('with Accept-Encoding "%s", a long body is compressed: %j', async (encodings, isCompressed) => {
  const { bytes, headers } = await ask('/', { 'accept-encoding': encodings });
  expect(headers).toMatchObject({ vary: 'accept-encoding', 'content-length': String(bytes.length) });
  expect(headers['content-encoding']).toBe(isCompressed ? 'gzip' : undefined);
  expect((isCompressed ? gunzipSync(bytes) : bytes).toString()).toBe(longPage);
});

test('a short body is not compressed', async () => {
  const { headers, body } = await ask('/api/map', { 'accept-encoding': 'gzip' });
  expect([headers['content-encoding'], JSON.parse(body)]).toMatchObject([undefined, { isFile: false }]);
});

test('only reading is possible', async () => {
  for (const method of ['POST', 'PUT', 'DELETE'])
    expect((await ask('/api/map', { method })).status).toBe(405);
  expect((await ask('/api/map', { method: 'HEAD' })).body).toBe('');
});

test('an unknown host name is rejected, so that no other page can read the trail by DNS rebinding', async () => {
  for (const host of ['evil.example', 'evil.example:80', 'localhost.evil.example'])
    expect((await ask('/api/map', { host })).status).toBe(421);
  for (const host of ['localhost:1', '127.0.0.1', '[::1]:8081', 'map.example', '10.0.0.7:8081'])
    expect((await ask('/api/map', { host })).status).toBe(200);
});

test('concurrent requests cause one database read', async () => {
  await Promise.all(Array.from({ length: 20 }, () => ask('/api/map')));
  expect(reads).toBe(1);
});

test('a failure is not cached and shows its cause; an unknown error does not', async () => {
  fails = new Failure({ system: 'database', kind: 'lost', what: 'gone', cure: 'wait', retryable: true });
  expect(await ask('/api/map')).toMatchObject({ status: 503, body: 'Gone. Wait.\n' });
  fails = undefined;
  expect((await ask('/api/map')).status).toBe(200);
  const unknown = await ask('/api/namespaces/immich/incident?from=2026-11-27T03:00Z&to=2026-11-27T04:00Z');
  expect(unknown.status).toBe(503);
  expect(unknown.body).not.toContain('secret');
  expect(errors).toHaveLength(2);
});

test.each([
  ['/api/namespaces/immich', 200],
  ['/api/namespaces/immich/allowlist', 200],
  ['/api/namespaces/quiet/allowlist', 404],
  ['/api/namespaces/UPPER', 404],
  ['/api/namespaces/..%2f..%2fetc', 404],
  ['/api/namespaces/%E0%A4%A', 404],
  ['/api/namespaces/immich/incident', 400],
  ['/api/namespaces/immich/incident?from=2026-11-27&to=2026-11-26', 400],
  ['/api/namespaces/immich/incident?from=2020-01-01&to=2026-11-26', 400],
  ['/../package.json', 404],
  ['/nothing', 404],
])('%s is answered with %i', async (path, status) => {
  expect((await ask(path)).status).toBe(status);
});

test('health and changes are returned as JSON; invalid times are rejected', async () => {
  expect(JSON.parse((await ask('/api/health')).body)).toMatchObject({ status: 'PASS' });
  const changes = await ask('/api/changes?from=2026-01-01T00:00Z&to=2026-02-01T00:00Z');
  expect(JSON.parse(changes.body)).toMatchObject({ from: '2026-01-01T00:00:00.000Z' });
  for (const query of ['', '?from=x&to=y', '?from=2026-02-01&to=2026-01-01'])
    expect((await ask(`/api/changes${query}`)).status).toBe(400);
});
