import { writeFile } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { pino } from 'pino';
import type { SecretUrl } from '../../../src/config/secret-url.ts';
import type { Heartbeat } from '../../../src/ingest/deps.ts';
import { systemClock } from '../../../src/time/clock.ts';
import { createHeartbeat } from '../../../src/worker/heartbeat.ts';
import { freePort, listen } from '../../../dev/ports.ts';
import { until } from '../../support/poll.ts';
import { folderOfTest } from '../../support/folder.ts';

const secret = 'b6a5f2c0-secret';
const servers: Server[] = [];
let stop: AbortController;
let elapsedMs: number;
let calls: string[];
let results: string[];
let logged: string;

beforeEach(() => {
  stop = new AbortController();
  [elapsedMs, calls, results, logged] = [0, [], [], ''];
});
afterEach(() => {
  stop.abort();
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
  expect(logged).not.toContain(secret);
});

/** Starts a service that records each call and answers with the listener. @returns the URL of its check */
async function serviceThat(answers: RequestListener): Promise<string> {
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (part: string) => (body += part));
    request.on('end', () => {
      calls.push([request.method, request.url, body].join(' ').trim());
      answers(request, response);
    });
  });
  servers.push(server);
  return `http://127.0.0.1:${await listen(server)}/${secret}`;
}

function heartbeatTo(source: SecretUrl, timeoutMs = 60_000): Heartbeat {
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      logged += chunk.toString();
      done();
    },
  });
  return createHeartbeat(source, {
    clock: { ...systemClock, elapsed: () => elapsedMs },
    log: pino({ level: 'trace' }, sink),
    signal: stop.signal,
    onResult: (result) => results.push(result),
    timeoutMs,
  });
}

const finished = (count: number) =>
  until('the calls have ended', () => (results.length >= count ? true : undefined));

test('success is a GET of the URL, failure a POST of its kind to /fail, with the query unchanged', async () => {
  const heartbeat = heartbeatTo({ url: `${await serviceThat((_, response) => response.end('OK'))}?rid=7` });
  heartbeat.succeeded();
  await finished(1);
  heartbeat.failed('goldmane_timeout');
  await finished(2);
  heartbeat.succeeded();
  await finished(3);
  expect(calls).toEqual([
    `GET /${secret}?rid=7`,
    `POST /${secret}/fail?rid=7 goldmane_timeout`,
    `GET /${secret}?rid=7`,
  ]);
  expect(results).toEqual(['sent', 'sent', 'sent']);
});

test('frequent rounds cause one call per half minute', async () => {
  const heartbeat = heartbeatTo({ url: await serviceThat((_, response) => response.end('OK')) });
  heartbeat.succeeded();
  await finished(1);
  for (elapsedMs = 1_000; elapsedMs < 30_000; elapsedMs += 1_000) heartbeat.succeeded();
  heartbeat.succeeded();
  await finished(2);
  expect(calls).toHaveLength(2);
});

test.each([404, 429, 500, 503])(
  'a call with status %i is not retried; the next round calls again',
  async (status) => {
    let answer = status;
    const heartbeat = heartbeatTo({
      url: await serviceThat((_, response) => response.writeHead(answer).end()),
    });
    for (let round = 1; round <= 2; round += 1, elapsedMs += 60_000) {
      heartbeat.succeeded();
      await finished(round);
    }
    answer = 200;
    heartbeat.succeeded();
    await finished(3);
    expect(results).toEqual(['refused', 'refused', 'sent']);
    expect(calls).toHaveLength(3);
    // A lasting failure and its end are each logged once.
    expect(logged.trim().split('\n')).toHaveLength(2);
  },
);

test('a redirect is not followed, because its target would receive the URL', async () => {
  let isCalled = false;
  const elsewhere = createServer((_, response) => {
    isCalled = true;
    response.end('OK');
  });
  servers.push(elsewhere);
  const port = await listen(elsewhere);
  const heartbeat = heartbeatTo({
    url: await serviceThat((_, response) =>
      response.writeHead(307, { location: `http://127.0.0.1:${port}/` }).end(),
    ),
  });
  heartbeat.succeeded();
  await finished(1);
  expect(results).toEqual(['refused']);
  expect(isCalled).toBe(false);
});

test('an unavailable service is one failed call', async () => {
  const heartbeat = heartbeatTo({ url: `http://127.0.0.1:${await freePort()}/${secret}` });
  heartbeat.succeeded();
  await finished(1);
  expect(results).toEqual(['unreachable']);
});

test('an unanswered call times out, with one call at a time', async () => {
  const heartbeat = heartbeatTo({ url: await serviceThat(() => undefined) }, 300);
  for (let round = 0; round < 5; round += 1, elapsedMs += 60_000) heartbeat.succeeded();
  await finished(1);
  expect(results).toEqual(['timeout']);
  expect(calls).toHaveLength(1);
});

test.each([
  ['OK', 'sent'],
  ['', 'sent'],
  ['Got it, thanks!', 'sent'],
  ['{"ok":true}', 'sent'],
  // healthchecks.io: no such check, or too many pings; the ping was not recorded.
  ['OK (not found)', 'refused'],
  ['OK (rate limited)', 'refused'],
  // Uptime Kuma.
  ['{"ok":false,"msg":"Monitor not found or not active."}', 'refused'],
  ['<!DOCTYPE html><title>Sign in</title>', 'refused'],
])('a response with status 200 and body "%s" counts as %s', async (body, result) => {
  const heartbeat = heartbeatTo({ url: await serviceThat((_, response) => response.end(body)) });
  heartbeat.succeeded();
  await finished(1);
  expect(results).toEqual([result]);
});

test('an endless response is not read', async () => {
  const heartbeat = heartbeatTo({
    url: await serviceThat((_, response) => response.writeHead(200).write('x'.repeat(100_000))),
  });
  heartbeat.succeeded();
  await finished(1);
  expect(results).toEqual(['sent']);
});

test('a worker shutdown aborts a running call without a log line', async () => {
  const heartbeat = heartbeatTo({ url: await serviceThat(() => undefined) });
  heartbeat.succeeded();
  await until('the call has arrived', () => (calls.length > 0 ? true : undefined));
  stop.abort();
  heartbeat.succeeded();
  expect(results).toEqual([]);
  expect(logged).toBe('');
});

test('the file is read for each call', async () => {
  const folder = await folderOfTest();
  const urlFile = join(folder, 'HEARTBEAT_URL');
  const url = await serviceThat((_, response) => response.end('OK'));
  const heartbeat = heartbeatTo({ urlFile });
  for (const content of [
    undefined,
    '',
    `http://user:${secret}@127.0.0.1/`,
    `http://elsewhere.example/${secret}`,
    url,
  ]) {
    if (content !== undefined) await writeFile(urlFile, content);
    heartbeat.succeeded();
    await finished(results.length + 1);
    elapsedMs += 60_000;
  }
  expect(results).toEqual(['no_url', 'no_url', 'no_url', 'no_url', 'sent']);
});
