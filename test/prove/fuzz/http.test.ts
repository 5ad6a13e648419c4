import { connect } from 'node:net';
import fc from 'fast-check';
import { beforeEach, expect, test } from 'vitest';
import { freePort } from '../../../dev/ports.ts';
import { untilReady } from '../../support/readyz.ts';
import type { WorkerProcess } from '../../support/worker-process.ts';
import { createWorld, type World } from '../../support/world.ts';
import { claimHolds } from '../finding.ts';
import { fuzz } from './budget.ts';

const answerMs = 2_000;

let world: World;
let worker: WorkerProcess;
let ports: number[];
beforeEach(async () => {
  world = await createWorld({ speed: 1 });
  world.traffic.start(world.goldmane);
  const mapPort = await freePort();
  worker = await world.startWorker({ MAP_PORT: String(mapPort) });
  await untilReady(worker);
  ports = [worker.httpPort, worker.metricsPort, mapPort];
});

const paths = [
  '/',
  '/index.html',
  '/healthz',
  '/readyz',
  '/readyz?verbose',
  '/metrics',
  '/api/map',
  '/api/health',
  '/api/runs',
  '/api/changes',
  '/api/changes?from=2026-01-01&to=2026-02-01',
  '/api/namespaces/team-0',
  '/api/namespaces/team-0/allowlist',
  '/api/namespaces/team-0/incident?from=2026-01-01T00:00:00Z&to=2026-01-02T00:00:00Z',
  '/api/namespaces/',
  '/api/namespaces/%00',
] as const;
const text = fc.string({ maxLength: 40, unit: 'binary' });
const path = fc.oneof(
  fc.constantFrom(...paths),
  fc.tuple(fc.constantFrom(...paths), text).map(([known, more]) => known + encodeURIComponent(more)),
  fc
    .tuple(fc.constantFrom(...paths), text)
    .map(([known, more]) => `${known}?from=${encodeURIComponent(more)}&to=${encodeURIComponent(more)}`),
  fc.constantFrom(
    '//',
    '/../../etc/passwd',
    '/%2e%2e/%2e%2e/etc/passwd',
    '*',
    'http://elsewhere/',
    '/%',
    '/%ff',
    '/a'.repeat(5_000),
  ),
  text,
);
const request = fc
  .record({
    method: fc.oneof(
      fc.constantFrom('GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'TRACE', 'CONNECT', 'PRI'),
      text,
    ),
    path,
    version: fc.constantFrom('HTTP/1.1', 'HTTP/1.0', 'HTTP/2.0', 'HTTP/9', ''),
    host: fc.oneof(
      fc.constantFrom('Host: localhost', 'Host: evil.example', 'Host:', ''),
      text.map((name) => `Host: ${name}`),
    ),
    headers: fc.array(
      fc.oneof(
        fc.constantFrom(
          'Content-Length: -1',
          'Content-Length: 99999999999',
          'Transfer-Encoding: chunked',
          'Upgrade: h2c',
          'Connection: close',
          'Expect: 100-continue',
          'Range: bytes=0-',
          `X: ${'a'.repeat(20_000)}`,
          'Origin: http://evil.example',
        ),
        text,
      ),
      { maxLength: 4 },
    ),
    body: fc.oneof(fc.constant(''), text),
  })
  .map(({ method, path, version, host, headers, body }) =>
    Buffer.from([`${method} ${path} ${version}`, host, ...headers, '', body].join('\r\n'), 'latin1'),
  );
const bytes = fc.oneof(
  request,
  fc.uint8Array({ maxLength: 300 }).map((raw) => Buffer.from(raw)),
);

test('HTTP: no request to health, metrics or map causes an internal error or stops the worker', async (context) => {
  const statuses = new Map<string, number>();
  const cases = await fuzz(fc.tuple(fc.nat(2), bytes), async ([which, raw]) => {
    const answer = await send(ports[which] ?? 0, raw);
    const status = /^HTTP\/1\.1 (\d{3}) /.exec(answer)?.[1] ?? 'none';
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
    expect([
      'none',
      '100',
      '200',
      '400',
      '404',
      '405',
      '408',
      '413',
      '414',
      '417',
      '421',
      '431',
      '501',
      '503',
    ]).toContain(status);
    // Stack traces and /etc/passwd; the map's script contains words such as root.
    expect(answer).not.toMatch(/\n\s+at \S+ \(\S+:\d+:\d+\)|node:internal|root:x?:0:/);
    expect(worker.process.hasExited()).toBe(false);
  });
  for (const port of ports)
    expect(await send(port, Buffer.from('GET / HTTP/1.0\r\nHost: localhost\r\n\r\n'))).toMatch(/^HTTP/);
  await untilReady(worker);
  const counts = [...statuses].map(([status, count]) => `${count} x ${status}`);
  claimHolds(context, `${cases}; status ${counts.join(', ')}`);
});

/** Everything that the server sends before the connection is closed: by the server, or here after a time limit. */
async function send(port: number, raw: Buffer): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port });
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.on('error', () => undefined);
  socket.setTimeout(answerMs, () => socket.destroy());
  socket.end(raw);
  // A reset is allowed: the server closes the connection of a bad request without reading the rest.
  await new Promise((resolve) => socket.once('close', resolve));
  return Buffer.concat(chunks).toString('latin1');
}
