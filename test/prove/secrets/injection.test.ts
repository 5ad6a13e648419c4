import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, expect, onTestFinished, test, type TestContext } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { encodeFlowKey, encodeList, encodeRecord } from '../../../dev/goldmane/encode.ts';
import { completeFlow } from '../../../dev/goldmane/flow.ts';
import { Window } from '../../../dev/goldmane/window.ts';
import { freePort } from '../../../dev/ports.ts';
import { startSlack, type SlackStandIn } from '../../../dev/slack/stand-in.ts';
import { FlowDecoder } from '../../../src/goldmane/decoder/decode.ts';
import { foldList } from '../../../src/trail/fold/fold-list.ts';
import { merge } from '../../../src/trail/merge/merge.ts';
import { launchChromium } from '../../support/chromium.ts';
import { flowTrail } from '../../support/cli.ts';
import { databasePerTest, readEdges, type CurrentDatabase } from '../../support/database.ts';
import { promtool } from '../../support/promtool.ts';
import { untilReady } from '../../support/readyz.ts';
import { runToEnd } from '../../support/run-to-end.ts';
import { createWorld, type World } from '../../support/world.ts';
import { addFinding, claimHolds } from '../finding.ts';
import { hostileNames } from './hostile-names.ts';
import { counted } from '../../../src/text/counted.ts';
import { folderOfTest } from '../../support/folder.ts';

const days = 10;
const daySeconds = 86_400;
const observed = 'shop';

const db = databasePerTest();
let world: World;
let slack: SlackStandIn;
let scratch: string;
let env: NodeJS.ProcessEnv;

beforeEach(async () => {
  await fillTrail(db);
  slack = await startSlack({ port: 0 });
  onTestFinished(() => slack.stop());
  scratch = await folderOfTest();
  world = await createWorld({ speed: 1 });
  env = {
    ...world.workerEnv(),
    FLOW_TRAIL_CLOCK: undefined,
    DATABASE_URL: db.url,
    SLACK_WEBHOOK_URL: slack.webhookUrl,
    MAP_PORT: String(await freePort()),
  };
});

/** Uses each hostile name as a namespace, pod, label, Service, policy and network set on each of several days. */
async function fillTrail({ database }: CurrentDatabase): Promise<void> {
  const decoder = new FlowDecoder();
  const today = Math.floor(Date.now() / 1000 / daySeconds) * daySeconds;
  for (let day = days; day > 0; day -= 1) {
    const startSeconds = today - day * daySeconds + 36_000;
    const flows = hostileNames.flatMap((name, index) => [
      { srcNamespace: observed, dstNamespace: name, dstPort: 443, srcName: name, dstName: name },
      { srcNamespace: name, dstNamespace: observed, dstPort: 80, protocol: index % 7 === 0 ? name : 'tcp' },
      { srcNamespace: observed, dstNamespace: '-', dstType: 'networkset' as const, dstName: name },
    ]);
    const answer = encodeList(
      flows.map((flow, index) => {
        const name = hostileNames[Math.floor(index / 3)] ?? '';
        const complete = completeFlow({
          ...flow,
          startSeconds,
          sourceLabels: [`service-identity=${name}`],
          destLabels: [`service-identity=${name}`],
          serviceName: name,
          policies: {
            enforced: [{ kind: 'NetworkPolicy', namespace: name, name, tier: name, action: 'allow' }],
          },
        });
        return encodeRecord({
          id: index + 1,
          encodedKey: encodeFlowKey(complete),
          startSeconds,
          endSeconds: startSeconds + 15,
          window: new Window(complete, complete.sourceLabels, complete.destLabels),
        });
      }),
    );
    const settings = { label: 'service-identity', namespaces: 'all' as const };
    const { records } = runToEnd(foldList(decoder, answer, startSeconds, settings));
    await merge(database, [{ startSeconds, records, settled: 'final' }], {
      portCap: 64,
      nowSeconds: startSeconds + 3_300,
    });
  }
  await database.query(`insert into coverage values (to_timestamp($1), to_timestamp($2), 'final', null)`, [
    today - days * daySeconds,
    today,
  ]);
  await database.query(
    `update trail_state set began_at = to_timestamp($1), decided_until = to_timestamp($2)`,
    [today - days * daySeconds, today],
  );
}

async function command(...args: readonly string[]): Promise<string> {
  const { code, out, err } = await flowTrail(args, env);
  expect([0, 3], `flow-trail ${args.join(' ')}: ${err}`).toContain(code);
  return out;
}

function holds(context: TestContext, result: string): void {
  claimHolds(context, `${hostileNames.length} names; ${result}`);
}

/** Whether the text has no character that a terminal interprets or hides. */
function isPrintable(text: string): boolean {
  return !/(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u.test(text);
}

test('injection: names are stored unchanged and printed as text', async (context) => {
  const names = new Set((await readEdges(db.database)).flatMap(({ src_ns, dst_ns }) => [src_ns, dst_ns]));
  expect(hostileNames.filter((name) => name !== '-' && !names.has(name))).toEqual([]);
  const listed: unknown = JSON.parse(await command('edges', '--json', '--limit', '1000'));
  expect(JSON.stringify(listed)).toContain("'; drop table edge; --");
  const commands = [
    ['edges'],
    ['edges', '--port'],
    ['edges', '--ns', observed],
    ['explain', observed, '<!channel>'],
    ['matrix'],
    ['externals'],
    ['at', '--ns', observed, '--from', '2d'],
    ['diff', '--from', '5d', '--to', '1d'],
    ['completeness'],
    ['coverage'],
    ['staged'],
    ['digest', '--dry-run'],
    ['verify'],
  ];
  let shown = 0;
  for (const args of commands) {
    const { code, out, err } = await flowTrail(args, env);
    expect([0, 3], `flow-trail ${args.join(' ')}: ${err}`).toContain(code);
    expect(isPrintable(out) && isPrintable(err), args.join(' ')).toBe(true);
    shown += out.length;
  }
  expect((await readEdges(db.database)).length).toBeGreaterThanOrEqual(2 * (hostileNames.length - 1));
  holds(context, `${commands.length} commands, ${Math.round(shown / 1024)} KiB`);
});

test('injection: names in exports and policies are data', async (context) => {
  const csv = await command('export', '--format', 'csv');
  for (const line of csv.split('\r\n'))
    for (const cell of line.match(/(?:^|,)("(?:[^"]|"")*"|[^,"]*)/g) ?? [])
      expect(cell.replace(/^,?"?/, '')).not.toMatch(/^[=+@\t\r-]/);
  const graph = await command('export', '--format', 'graphml');
  expect(graph).not.toMatch(/<script|<img|<!--/);
  let files = 0;
  for (const format of ['kubernetes', 'calico', 'calico-staged', 'kubernetes-staged']) {
    const out = join(scratch, format);
    await command('allowlist', 'derive', '--direction', 'both', '--format', format, '--out', out);
    for (const file of await readdir(out, { recursive: true })) {
      if (!/\.ya?ml$/.test(file)) continue;
      files += 1;
      const documents = parseAllDocuments(await readFile(join(out, file), 'utf8'));
      for (const document of documents) {
        expect(document.errors).toEqual([]);
        for (const text of stringsIn(document.toJS())) expect(isPrintable(text)).toBe(true);
      }
    }
  }
  expect(files).toBeGreaterThan(0);
  // Nothing was written outside these folders.
  expect((await readdir(scratch)).toSorted()).toEqual([
    'calico',
    'calico-staged',
    'kubernetes',
    'kubernetes-staged',
  ]);
  holds(context, `CSV, GraphML, ${files} policy files`);
});

test('injection: Slack shows names as text', async (context) => {
  // The first digest announces the edges of one day only.
  await db.database.query(`update edge set first_seen = now() - interval '1 hour', last_seen = now()`);
  const worker = await world.startWorker(env);
  await untilReady(worker);
  await command('run', 'digest');
  expect(slack.messages.length).toBeGreaterThan(0);
  const text = JSON.stringify(slack.messages);
  for (const form of ['<!channel', '<!here', '<@U', '<https://evil', '<script', '<img'])
    expect(text).not.toContain(form);
  expect(text).toContain('&lt;!channel&gt;');
  const metrics = await (await fetch(`http://127.0.0.1:${worker.metricsPort}/metrics`)).text();
  expect(metrics).not.toMatch(/drop table|evil\.example|<script/);
  const checked = await promtool(['check', 'metrics'], metrics).catch(() => undefined);
  expect(metrics).toContain('# TYPE');
  holds(
    context,
    `${counted(slack.messages.length, 'message')}${checked === undefined ? '' : '; no name in the metrics'}`,
  );
});

test('injection: the map runs no script from a name', async (context) => {
  const file = join(scratch, 'map.html');
  await command('map', '-o', file);
  const worker = await world.startWorker(env);
  await untilReady(worker);
  const browser = await launchChromium().catch(() => undefined);
  if (!browser) {
    addFinding(context, {
      claim: context.task.name,
      result: 'Chromium is not installed',
      verdict: 'skipped',
    });
    return;
  }
  try {
    for (const url of [`file://${file}`, `http://127.0.0.1:${env['MAP_PORT']}/`]) {
      const page = await browser.newPage();
      const dialogs: string[] = [];
      const requests: string[] = [];
      page.on('dialog', (dialog) => {
        dialogs.push(dialog.message());
        void dialog.dismiss();
      });
      page.on('request', (request) => requests.push(request.url()));
      await page.goto(url);
      await page.getByText(observed).first().waitFor({ state: 'attached' });
      expect(await page.title()).not.toContain('hacked');
      expect(dialogs).toEqual([]);
      expect(requests.filter((each) => each.includes('evil') || each.endsWith('/x'))).toEqual([]);
      await page.close();
    }
  } finally {
    await browser.close();
  }
  holds(context, 'the file and the served page');
});

function stringsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, each]) => [key, ...stringsIn(each)]);
}
