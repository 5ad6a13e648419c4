import { afterEach, test, vi } from 'vitest';
import { isSlackFailure } from '../../../src/slack/failure.ts';
import { postMessage } from '../../../src/slack/post.ts';
import { expectSentences, type Sentences } from './sentences.ts';

afterEach(() => {
  vi.unstubAllGlobals();
});

test('of Slack’s answers', async () => {
  const said: Sentences = {};
  for (const [status, body] of [
    [400, 'invalid_blocks'],
    [400, '<html>proxy</html>'],
    [403, 'action_prohibited'],
    [404, 'channel_not_found'],
    [404, 'no_service'],
    [404, 'user_not_found'],
    [410, 'channel_is_archived'],
    [200, '<html>Please log in</html>'],
    [200, 'invalid_token'],
    [429, 'rate_limited'],
    [502, 'bad gateway'],
  ] as const) {
    vi.stubGlobal('fetch', async () => new Response(body, { status, headers: { 'retry-after': '17' } }));
    const { kind, message } = await failureOfPost();
    said[`${kind} (${status} ${body})`] = message;
  }
  for (const error of [
    new DOMException('timed out', 'TimeoutError'),
    new TypeError('fetch failed', { cause: Object.assign(new Error(), { code: 'ECONNREFUSED' }) }),
  ]) {
    vi.stubGlobal('fetch', () => Promise.reject(error));
    const { kind, message } = await failureOfPost();
    said[kind] = message;
  }
  await expectSentences('slack', said);
});

async function failureOfPost() {
  const slack = { webhook: { url: 'https://hooks.invalid/x' }, channel: '#net', dryRun: false };
  const error = await postMessage(slack, { text: 'x', blocks: [] }, () => undefined).catch(
    (reason: unknown) => reason,
  );
  if (isSlackFailure(error)) return error;
  throw new Error('the message was posted', { cause: error });
}
