import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { exposedMetricNames } from './metric-names.ts';
import { projectFolder, validated } from './tools.ts';

const folder = join(projectFolder, 'deploy');
const file = join(folder, 'prometheus-rules.yaml');
const rulesShape = z.object({ alerts: z.array(z.string()), metrics: z.array(z.string()) });
const firingShape = z.array(z.object({ alert: z.string(), summary: z.string() }));

const available =
  'kube_deployment_status_replicas_available{namespace="goldmane-flow-trail",deployment="goldmane-flow-trail"}';
// Scenarios begin at this second; one sample a minute.
const start = 2 * 24 * 3600;
const newest = 'flow_trail_newest_bucket_timestamp_seconds';
const settled = 'flow_trail_settled_up_to_timestamp_seconds';
const gaps = 'flow_trail_coverage_gap_buckets_total';
const reconnects = 'flow_trail_reconnects_total{reader="stream",cause="certificate_refused"}';
const digests = 'temporal_workflow_failed_total{workflow_type="dailyDigest"}';
const watches = 'temporal_workflow_failed_total{workflow_type="certFreshness"}';
const daysLeft = 'flow_trail_certificate_days_left{certificate="client"}';

/** Two workers that do well: buckets merged a minute after they began, settled after seven. */
const healthy = {
  available: `${available} 2x1600`,
  newest: `${newest}{pod="a"} ${start - 60}+60x1600`,
  settled: `${settled}{pod="a"} ${start - 420}+60x1600`,
};
type Scenario = Partial<Record<keyof typeof healthy, string>>;

describe('the alerts', () => {
  test('are valid and keep the names of the earlier alerts', async () => {
    const { alerts } = await validated('rules', file, rulesShape);
    expect(alerts).toEqual(expect.arrayContaining(['AggregatorDown', 'DigestFailing', 'TrailStale']));
  });

  test('use only metrics of the worker, the cluster and the SDK', async () => {
    const { metrics } = await validated('rules', file, rulesShape);
    expect(metrics.filter((name) => !name.startsWith('flow_trail_'))).toEqual([
      'kube_deployment_status_replicas_available',
      'temporal_workflow_failed_total',
    ]);
    const shown = exposedMetricNames();
    expect(metrics.filter((name) => name.startsWith('flow_trail_') && !shown.has(name))).toEqual([]);
  });

  test.each<[string, { change?: Scenario; more?: string[]; minutes?: number; fire: string[] }]>([
    ['all is well', { fire: [] }],
    [
      'no worker has been available for 15 minutes',
      { change: { available: `${available} 0x60` }, minutes: 15, fire: ['AggregatorDown'] },
    ],
    [
      'no worker has been available for 14 minutes',
      { change: { available: `${available} 0x60` }, minutes: 14, fire: [] },
    ],
    ['the Deployment is gone', { change: { available: '' }, minutes: 15, fire: ['AggregatorDown'] }],
    ['one of two workers is available', { change: { available: `${available} 1x60` }, fire: [] }],
    [
      'nothing has been merged for a quarter of an hour and a bit',
      { change: { newest: `${newest} ${start - 60}x60` }, minutes: 16, fire: ['TrailStale'] },
    ],
    [
      'only one worker’s number has stopped, because the other took over',
      { more: [`${newest}{pod="b"} ${start - 60}x60`], minutes: 45, fire: [] },
    ],
    ['no worker has ever merged anything', { change: { newest: '' }, minutes: 10, fire: ['TrailStale'] }],
    [
      'settling stands still for 40 minutes',
      { change: { settled: `${settled} ${start - 420}x60` }, minutes: 40, fire: ['TrailSettlingBehind'] },
    ],
    [
      'settling stands still for 20 minutes',
      { change: { settled: `${settled} ${start - 420}x60` }, minutes: 20, fire: [] },
    ],
    ['a gap was found', { more: [`${gaps} 0x9 4x50`], minutes: 20, fire: ['TrailGap'] }],
    ['the first number of gaps is not zero', { more: [`${gaps} _x9 4x50`], minutes: 20, fire: ['TrailGap'] }],
    ['a gap was found two hours ago', { more: [`${gaps} 0x9 4x300`], minutes: 150, fire: [] }],
    [
      'Goldmane refuses the certificate',
      { more: [`${reconnects} 0+2x60`], minutes: 20, fire: ['GoldmaneCertificateRefused'] },
    ],
    [
      'Goldmane refused the certificate for a moment',
      { more: [`${reconnects} 0x9 2x60`], minutes: 40, fire: [] },
    ],
    ['a digest failed', { more: [`${digests} 0x9 1x60`], minutes: 45, fire: ['DigestFailing'] }],
    ['the very first digest failed', { more: [`${digests} _x9 1x60`], minutes: 45, fire: ['DigestFailing'] }],
    [
      'a digest failed the day before yesterday',
      { more: [`${digests} 0x9 1x1600`], minutes: 1500, fire: [] },
    ],
    ['a job failed', { more: [`${watches} 0x9 1x60`], minutes: 25, fire: ['JobFailing'] }],
    [
      'the very first run of a job failed',
      { more: [`${watches} _x9 1x60`], minutes: 25, fire: ['JobFailing'] },
    ],
    ['a job failed three hours ago', { more: [`${watches} 0x9 1x400`], minutes: 200, fire: [] }],
    [
      'a certificate ends in six days',
      { more: [`${daysLeft} 6x90`], minutes: 61, fire: ['CertificateExpiring'] },
    ],
    ['a certificate ends in eight days', { more: [`${daysLeft} 8x90`], minutes: 61, fire: [] }],
  ])('when %s', async (_, { change = {}, more = [], minutes = 30, fire }) => {
    const series = [...Object.values({ ...healthy, ...change }).filter((line) => line !== ''), ...more];
    const fired = await firing(series, minutes);
    expect(fired.map(({ alert }) => alert)).toEqual(fire);
    for (const { summary } of fired) expect(summary).not.toMatch(/\{\{|error|<no value>/i);
  });
});

describe('the dashboard', () => {
  const panelShape = z.object({
    title: z.string(),
    targets: z.array(z.object({ expr: z.string() })).default([]),
  });

  test('has valid queries of metrics that exist', async () => {
    const text = await readFile(join(folder, 'grafana-dashboard.json'), 'utf8');
    const { panels } = z.object({ panels: z.array(panelShape) }).parse(JSON.parse(text));
    const expressions = panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));
    expect(expressions.length).toBeGreaterThan(5);
    const rules = expressions.map((expr, index) => ({
      alert: `panel${index}`,
      expr: expr.replaceAll('$__rate_interval', '5m').replaceAll('$__range', '1h'),
    }));
    const { metrics } = await inScratch('panels.yaml', { groups: [{ name: 'panels', rules }] }, (path) =>
      validated('rules', path, rulesShape),
    );
    const shown = exposedMetricNames();
    expect(metrics.filter((name) => name.startsWith('flow_trail_') && !shown.has(name))).toEqual([]);
  });
});

function firing(series: string[], minutes: number): Promise<z.infer<typeof firingShape>> {
  return inScratch('scenario.json', { rules: file, series, minutes }, (path) =>
    validated('alerts', path, firingShape),
  );
}

async function inScratch<Result>(
  name: string,
  content: object,
  use: (path: string) => Promise<Result>,
): Promise<Result> {
  const scratch = await mkdtemp(join(tmpdir(), 'flow-trail-monitoring-'));
  try {
    const path = join(scratch, name);
    await writeFile(path, JSON.stringify(content));
    return await use(path);
  } finally {
    await rm(scratch, { recursive: true });
  }
}
