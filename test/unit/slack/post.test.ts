import { writeFile } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { SlackConfig } from '../../../src/config/job-config.ts';
import { isSlackFailure, type SlackFailure } from '../../../src/slack/failure.ts';
import { postMessage } from '../../../src/slack/post.ts';
import { listen } from '../../../dev/ports.ts';
import { folderOfTest } from '../../support/folder.ts';

const message = { text: 'one new edge', blocks: [] };
let server: Server | undefined;
let scratch: string;
beforeEach(async () => {
  scratch = await folderOfTest();
});
afterEach(async () => {
  server?.closeAllConnections();
  server?.close();
  server = undefined;
});

async function slackThat(answers: RequestListener): Promise<SlackConfig> {
  server = createServer(answers);
  return {
    webhook: { url: `http://127.0.0.1:${await listen(server)}/services/T0/B0/secret` },
    channel: '#net',
    dryRun: false,
  };
}

async function failureOf(slack: SlackConfig): Promise<SlackFailure> {
  const error: unknown = await postMessage(slack, message, () => undefined).catch(
    (reason: unknown) => reason,
  );
  if (isSlackFailure(error)) return error;
  throw new Error(`it did not fail with a Slack failure: ${String(error)}`);
}

test('a message is posted to the configured channel', async () => {
  let body = '';
  const slack = await slackThat((request, response) => {
    request.setEncoding('utf8').on('data', (part: string) => (body += part));
    request.on('end', () => response.end('ok'));
  });
  expect(await postMessage(slack, message, () => undefined)).toBe('posted');
  expect(JSON.parse(body)).toEqual({ channel: '#net', ...message });
});

test.each([
  [404, 'channel_not_found', 'channel_not_found'],
  [410, 'channel_is_archived', 'channel_is_archived'],
  [404, 'no_service', 'no_service'],
  [403, 'action_prohibited', 'action_prohibited'],
  [400, 'invalid_blocks', 'invalid_blocks'],
  [400, 'invalid_blocks: must be less than 3001 characters', 'invalid_blocks'],
  [200, '{"ok":false,"error":"invalid_auth"}', 'invalid_auth'],
])('%i %s is not retryable', async (status, body, kind) => {
  const failure = await failureOf(
    await slackThat((_request, response) => response.writeHead(status).end(body)),
  );
  expect(failure).toMatchObject({ kind, retryable: false });
  expect(failure.message).not.toContain('secret');
});

test('200 with a Slack error code is not retryable, because the message was not posted', async () => {
  const failure = await failureOf(await slackThat((_request, response) => response.end('invalid_token')));
  expect(failure).toMatchObject({ kind: 'invalid_token', retryable: false });
});

test.each([
  [200, '<html>Please log in</html>'],
  [200, ''],
  [200, '{"ok":false}'],
  [200, 'OK'],
  [204, ''],
  [302, ''],
  [400, '<html>proxy</html>'],
  [403, 'Access denied'],
  [413, ''],
])('%i with the body "%s" did not come from Slack and is retryable', async (status, body) => {
  const failure = await failureOf(
    await slackThat((_request, response) => response.writeHead(status, { location: '/login' }).end(body)),
  );
  expect(failure).toMatchObject({ kind: 'not_slack', retryable: true });
});

// Slack's other endpoints, and Rocket.Chat with Slack's format: a retry would post the message again.
test.each(['{"ok":true}', '{"success":true}'])('200 with %s counts as posted', async (body) => {
  const slack = await slackThat((_request, response) => response.end(body));
  expect(await postMessage(slack, message, () => undefined)).toBe('posted');
});

test('429 is retryable after the time in Retry-After', async () => {
  const failure = await failureOf(
    await slackThat((_request, response) =>
      response.writeHead(429, { 'Retry-After': '17' }).end('rate_limited'),
    ),
  );
  expect(failure).toMatchObject({ kind: 'rate_limited', retryable: true, retryAfterMs: 17_000 });
});

test.each([500, 502, 503])('%i is retryable', async (status) => {
  const failure = await failureOf(await slackThat((_request, response) => response.writeHead(status).end()));
  expect(failure).toMatchObject({ kind: 'unavailable', retryable: true });
});

test('a broken connection is retryable, and its message does not contain the webhook URL', async () => {
  const failure = await failureOf(await slackThat((request) => request.socket.destroy()));
  expect(failure).toMatchObject({ kind: 'unreachable', retryable: true });
  expect(failure.message).not.toContain('secret');
});

test('a peer that does not answer causes a timeout', async () => {
  const asked = vi.fn();
  const slack = await slackThat(asked);
  const failure = await failureOf(slack);
  expect(asked).toHaveBeenCalledOnce();
  expect(failure).toMatchObject({ kind: 'timeout', retryable: true });
}, 30_000);

test('a dry run and an empty webhook print the message and the reason', async () => {
  const print = vi.fn();
  const slack = { channel: '#net', dryRun: true, webhook: { url: 'https://hooks.invalid/x' } };
  expect(await postMessage(slack, message, print)).toBe('printed');
  expect(print).toHaveBeenLastCalledWith(message, 'DRY_RUN is set');
  expect(await postMessage({ ...slack, dryRun: false, webhook: undefined }, message, print)).toBe('printed');
  expect(print).toHaveBeenLastCalledWith(message, 'SLACK_WEBHOOK_URL is empty');
});

test('a webhook file is read for every message', async () => {
  const { webhook, ...slack } = await slackThat((_request, response) => response.end('ok'));
  const urlFile = join(scratch, 'webhook');
  const withFile = { ...slack, webhook: { urlFile } };
  const wrongPath = { ...slack, webhook: { urlFile: join(scratch, 'nowhere', 'webhook') } };
  expect(await failureOf(wrongPath)).toMatchObject({ kind: 'webhook_unreadable', retryable: true });
  // An optional mounted Secret that does not exist.
  expect(await postMessage(withFile, message, () => undefined)).toBe('printed');
  await writeFile(urlFile, 'not-an-address-but-hush');
  const failure = await failureOf(withFile);
  expect(failure.kind).toBe('webhook_unreadable');
  expect(failure.message).not.toContain('hush');
  await writeFile(urlFile, '\n');
  expect(await postMessage(withFile, message, () => undefined)).toBe('printed');
  await writeFile(urlFile, `${webhook && 'url' in webhook ? webhook.url : ''}\n`);
  expect(await postMessage(withFile, message, () => undefined)).toBe('posted');
});
