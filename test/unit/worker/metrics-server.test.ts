import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { afterEach, expect, test } from 'vitest';
import { closeServer } from '../../../src/web/bounded-server.ts';
import { serveMetrics } from '../../../src/worker/http.ts';
import { portOf } from '../../../dev/ports.ts';

const servers: Server[] = [];
afterEach(() => Promise.all(servers.splice(0).map(closeServer)));

async function scrape(exporter: RequestListener): Promise<Response> {
  const source = createServer(exporter).listen(0, '127.0.0.1');
  servers.push(source);
  await once(source, 'listening');
  const server = await serveMetrics(portOf(source), '127.0.0.1', 0);
  servers.push(server);
  return fetch(`http://127.0.0.1:${portOf(server)}/metrics`);
}

test('/metrics has the text and the content type of the exporter', async () => {
  const response = await scrape((_, answer) =>
    answer.writeHead(200, { 'content-type': 'application/openmetrics-text' }).end('up 1\n'),
  );
  expect([response.status, response.headers.get('content-type'), await response.text()]).toEqual([
    200,
    'application/openmetrics-text',
    'up 1\n',
  ]);
});

test.each<[string, RequestListener]>([
  ['an error', (_, answer) => answer.writeHead(500).end()],
  ['a closed connection', (request) => request.socket.destroy()],
])('/metrics is unavailable if the exporter answers with %s', async (_name, exporter) => {
  expect((await scrape(exporter)).status).toBe(503);
});
