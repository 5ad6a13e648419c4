import { mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startSlack, type SlackStandIn } from '../../dev/slack/stand-in.ts';
import { launchChromium } from '../support/chromium.ts';
import { edge, messagesOf, now, yesterday } from '../unit/reports/digests.ts';

/** The image in the README; UPDATE_IMAGES=1 makes the test rewrite it. */
const image = fileURLToPath(new URL('../../docs/images/digest.png', import.meta.url));
const maxImageBytes = 60_000;

let slack: SlackStandIn;
let browser: Browser;
beforeAll(async () => {
  slack = await startSlack({ port: 0 });
  browser = await launchChromium();
});
afterAll(async () => {
  await browser.close();
  await slack.stop();
});

const seconds = (time: Date) => time.getTime() / 1000;

test('a digest is shown in Slack with denied edges, sources and the gap', async () => {
  const gapFrom = seconds(yesterday) + 3_600;
  const [first] = messagesOf({
    edges: [
      edge({ srcNs: 'photoprism', dstNs: 'qbittorrent', action: 'deny' }),
      edge({ srcNs: 'immich', dstNs: 'redis' }),
      edge({ srcNs: 'immich', dstNs: 'authentik' }),
      edge({ srcNs: 'grafana', dstNs: 'dbaas' }),
    ],
    coverage: [
      { fromSeconds: seconds(yesterday), toSeconds: gapFrom, state: 'final' },
      { fromSeconds: gapFrom, toSeconds: gapFrom + 240, state: 'gap', cause: 'Goldmane restarted' },
      { fromSeconds: gapFrom + 240, toSeconds: seconds(now), state: 'final' },
    ],
  });
  const posted = await fetch(slack.webhookUrl, {
    method: 'POST',
    body: JSON.stringify(first?.message),
  });
  expect(posted.status).toBe(200);
  const page = await browser.newPage({ viewport: { width: 660, height: 800 } });
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(error.message));
  await page.goto(slack.pageUrl);
  const article = page.locator('article').last();
  const shown = await article.innerText();
  for (const name of ['photoprism', 'qbittorrent', 'immich', 'dbaas', 'Goldmane restarted'])
    expect(shown).toContain(name);
  const picture = await article.screenshot();
  expect([errors, picture.byteLength < maxImageBytes]).toEqual([[], true]);
  if (process.env['UPDATE_IMAGES'] === '1') {
    await mkdir(new URL('.', `file://${image}`), { recursive: true });
    await writeFile(image, picture);
  }
});
