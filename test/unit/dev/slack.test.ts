import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { mrkdwnHtml } from '../../../dev/slack/mrkdwn.ts';
import { startSlack, type SlackStandIn } from '../../../dev/slack/stand-in.ts';

let slack: SlackStandIn;
beforeEach(async () => {
  slack = await startSlack({ port: 0 });
});
afterEach(() => slack.stop());

async function post(body: unknown, url = slack.webhookUrl) {
  const response = await fetch(url, {
    method: 'POST',
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  return { status: response.status, body: await response.text(), headers: response.headers };
}

const page = async () => (await fetch(slack.pageUrl)).text();
const section = (text: string) => ({ type: 'section', text: { type: 'mrkdwn', text } });

describe('a post is answered as Slack does', () => {
  test('ok, when it is a message', async () => {
    expect(await post({ text: 'hello' })).toMatchObject({ status: 200, body: 'ok' });
    expect(await post({ channel: '#net', text: 'hello', blocks: [section('*hello*')] })).toMatchObject({
      status: 200,
    });
    expect(slack.messages.map(({ channel }) => channel)).toEqual(['#alerts', '#net']);
  });

  test.each([
    ['no JSON', 'hello', 'invalid_payload'],
    ['neither text nor blocks', {}, 'no_text'],
    ['a section of 3,001 characters', { blocks: [section('x'.repeat(3_001))] }, 'invalid_blocks'],
    ['an empty section', { blocks: [section('')] }, 'invalid_blocks'],
    ['51 blocks', { blocks: Array.from({ length: 51 }, () => ({ type: 'divider' })) }, 'invalid_blocks'],
    [
      'a header of 151 characters',
      { blocks: [{ type: 'header', text: { type: 'plain_text', text: 'x'.repeat(151) } }] },
      'invalid_blocks',
    ],
    [
      'a header of mrkdwn',
      { blocks: [{ type: 'header', text: { type: 'mrkdwn', text: 'x' } }] },
      'invalid_blocks',
    ],
    ['an unknown block', { blocks: [{ type: 'marquee' }] }, 'invalid_blocks'],
    ['an unknown property', { blocks: [{ ...section('x'), colour: 'red' }] }, 'invalid_blocks'],
    [
      'more than 13,000 characters',
      { blocks: Array.from({ length: 5 }, () => section('x'.repeat(2_900))) },
      'invalid_blocks',
    ],
  ])('400 for %s', async (_what, body, word) => {
    expect(await post(body)).toMatchObject({ status: 400, body: word });
    expect(slack.messages).toEqual([]);
  });

  test('404 no_service at another address', async () => {
    expect(await post({ text: 'x' }, slack.webhookUrl.replace('stand-in', 'other'))).toMatchObject({
      status: 404,
      body: 'no_service',
    });
  });
});

describe('failures can be requested', () => {
  test('for the next posts, one after the other', async () => {
    slack.answerNext({ status: 429, body: 'rate_limited', retryAfterSeconds: 30 }, 'take_and_cut');
    const limited = await post({ text: 'a' });
    expect(limited).toMatchObject({ status: 429, body: 'rate_limited' });
    expect(limited.headers.get('retry-after')).toBe('30');
    await expect(post({ text: 'b' })).rejects.toThrow('fetch failed');
    expect(await post({ text: 'c' })).toMatchObject({ status: 200 });
    expect(slack.messages.map(({ text }) => text)).toEqual(['b', 'c']);
    expect(slack.posts).toBe(3);
  });

  test('over HTTP, until they are set to ok again', async () => {
    const put = async (body: string) =>
      (await fetch(new URL('/answer', slack.pageUrl), { method: 'PUT', body })).status;
    expect(await put('404 channel_not_found')).toBe(200);
    expect(await post({ text: 'a' })).toMatchObject({ status: 404, body: 'channel_not_found' });
    expect(await put('429 rate_limited 7')).toBe(200);
    expect((await post({ text: 'a' })).headers.get('retry-after')).toBe('7');
    expect(await put('nonsense')).toBe(400);
    expect(await put('ok')).toBe(200);
    expect(await post({ text: 'a' })).toMatchObject({ status: 200 });
  });
});

describe('the page', () => {
  test('renders messages like Slack', () => {
    expect(mrkdwnHtml('*`shop`*  2 denied\n→ `a &amp; b` :no_entry: *denied* _found late_')).toBe(
      '<b><code>shop</code></b>  2 denied<br>→ <code>a &amp; b</code> ⛔ <b>denied</b> <i>found late</i>',
    );
    expect(mrkdwnHtml('<https://map.example/?a=1&amp;b=2|Map>')).toBe(
      '<a href="https://map.example/?a=1&amp;b=2" rel="noreferrer">Map</a>',
    );
    expect(mrkdwnHtml('<!channel> hello')).toBe('<span class="mention">!channel</span> hello');
    expect(mrkdwnHtml('*no end')).toBe('*no end');
  });

  test('escapes every message and runs no script', async () => {
    const evil = '<script>alert(1)</script><img src=x onerror=alert(1)>" & `</code>` <javascript:alert(1)|x>';
    await post({ channel: '#<b>', text: evil, blocks: [section(evil), section(`*${evil}`)] });
    await post({ text: evil });
    const html = await page();
    expect(html).not.toMatch(/<script|<img|href="javascript|#<b>/);
    const policy = (await fetch(slack.pageUrl)).headers.get('content-security-policy');
    expect(policy).toMatch(/^default-src 'none'; style-src 'sha256-/);
  });

  test('loads nothing from other hosts', async () => {
    await post({ text: 'hello' });
    expect(await page()).not.toMatch(/(src|href)="?https?:|@import|url\(/);
  });
});
