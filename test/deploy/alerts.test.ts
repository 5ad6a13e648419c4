import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { healthCheckNames } from '../../src/reports/health/report.ts';
import { isFull } from '../support/full.ts';
import { promtool } from '../support/promtool.ts';
import { metricsOf, promqlOf, readDashboard, readRules, rulesFile } from './rules.ts';
import { projectFolder } from './tools.ts';

// One sample per minute; minute t is at 60 t seconds. Scenarios are evaluated at minute `at`.
const length = 240;
const two = (name: string, labels = '') => ['a', 'b'].map((pod) => `${name}{pod="${pod}"${labels}}`);
const available =
  'kube_deployment_status_replicas_available{namespace="goldmane-flow-trail",deployment="goldmane-flow-trail"}';
const health = (check: string) => two('flow_trail_health', `,check="${check}"`);
const newest = two('flow_trail_newest_bucket_timestamp_seconds');
const settled = two('flow_trail_settled_up_to_timestamp_seconds');
const [gaps = ''] = two('flow_trail_coverage_gap_buckets_total');
const [incomplete = ''] = two('flow_trail_incomplete_buckets_total');
const [sent = ''] = two('flow_trail_heartbeats_total', ',result="sent"');
const [timedOut = ''] = two('flow_trail_heartbeats_total', ',result="timeout"');
const [refusedCertificate = ''] = two(
  'flow_trail_reconnects_total',
  ',reader="stream",cause="certificate_refused"',
);
const exportEnabled = two('flow_trail_export_enabled');
const exportedUpTo = two('flow_trail_export_up_to_timestamp_seconds');
const [exportGaps = ''] = two('flow_trail_export_gap_buckets_total', ',reason="not_exported"');
const [unsettledGaps = ''] = two('flow_trail_export_gap_buckets_total', ',reason="not_settled"');
const [storageOfA = '', storageOfB = ''] = two('flow_trail_storage_bytes');
const failed = (job: string) => two('flow_trail_job_failed_runs', `,job_name="${job}"`);
const days = two('flow_trail_certificate_days_left', ',certificate="client"');
const slots = (queue: string) =>
  `temporal_worker_task_slots_available{pod="a",worker_type="ActivityWorker",task_queue="${queue}"}`;
const pollers = 'temporal_num_pollers{pod="a",poller_type="activity_task",task_queue="flow-trail"}';
const bucket = (kind: string, le: string) =>
  `temporal_${kind}_schedule_to_start_latency_seconds_bucket{pod="a",task_queue="flow-trail",le="${le}"}`;

/** The series of two healthy workers. */
const healthy: Record<string, string> = {
  [available]: `2x${length}`,
  ...same(two('flow_trail_ready'), `1x${length}`),
  ...same(newest, `-60+60x${length}`),
  ...same(settled, `-420+60x${length}`),
  ...Object.assign({}, ...healthCheckNames.map((check) => same(health(check), `0x${length}`))),
  ...same(two('flow_trail_worker_crashes'), `0x${length}`),
  ...same([storageOfA, storageOfB], `25000000x${length}`),
  ...same(exportEnabled, `1x${length}`),
  ...same(exportedUpTo, `-420+60x${length}`),
  ...same([exportGaps, unsettledGaps], `0x${length}`),
  ...same([gaps, incomplete, timedOut, refusedCertificate], `0x${length}`),
  [sent]: `0+1x${length}`,
  ...same([...failed('digest'), ...failed('freshness')], `0x${length}`),
  ...same(days, `40x${length}`),
  [slots('flow-trail')]: `99x${length}`,
  [slots('flow-trail/allowlist')]: `0x${length}`,
  [pollers]: `5x${length}`,
  ...Object.assign(
    {},
    ...['workflow_task', 'activity'].map((kind) => ({
      [bucket(kind, '0.1')]: `0+10x${length}`,
      [bucket(kind, '10')]: `0+10x${length}`,
      [bucket(kind, '+Inf')]: `0+10x${length}`,
    })),
  ),
};

function same(series: readonly string[], values: string): Record<string, string> {
  return Object.fromEntries(series.map((name) => [name, values]));
}

const at = 200;
/** Values that are good until `minutes` before the evaluation. */
const since = (minutes: number, good: string, bad: string) =>
  `${good}x${at - minutes - 1} ${bad}x${length - at + minutes}`;
const oneOf = (series: readonly string[], values: string) => ({ [series[0] ?? '']: values });
const stops = (startsAt: number, minutes: number) =>
  `${startsAt}+60x${at - minutes} ${startsAt + 60 * (at - minutes)}x${length}`;
const slow = (kind: string) => ({ [bucket(kind, '0.1')]: `0x${length}` });

interface Scenario {
  change?: Record<string, string | undefined>;
  fire?: string[];
}

const scenarios: Record<string, Scenario> = {
  'both workers are healthy': {},
  'no worker has been available for 16 minutes': {
    change: { [available]: since(16, '2', '0') },
    fire: ['AggregatorDown'],
  },
  'no worker has been available for 13 minutes': { change: { [available]: since(13, '2', '0') } },
  'the Deployment is gone': { change: { [available]: undefined }, fire: ['AggregatorDown'] },
  'one of two workers is available': { change: { [available]: `1x${length}` } },
  'nothing is scraped': {
    change: Object.fromEntries(
      Object.keys(healthy)
        .filter((name) => name !== available)
        .map((name) => [name, undefined]),
    ),
    fire: ['TrailNotScraped'],
  },
  'no worker is ready': {
    change: same(two('flow_trail_ready'), since(16, '1', '0')),
    fire: ['TrailNotReady'],
  },
  'one worker is not ready': { change: oneOf(two('flow_trail_ready'), `0x${length}`) },
  'three worker processes have ended unexpectedly, and each was scraped once in ten minutes': {
    change: oneOf(two('flow_trail_worker_crashes'), `_x${at - 25} 3 _x8 3 _x8 3 _x${length}`),
    fire: ['TrailWorkersCrash'],
  },
  'two worker processes have ended unexpectedly': {
    change: same(two('flow_trail_worker_crashes'), `2x${length}`),
  },
  'nothing has been merged for 17 minutes': {
    change: same(newest, stops(-60, 16)),
    fire: ['TrailStale'],
  },
  'nothing has been merged for 12 minutes': { change: same(newest, stops(-60, 11)) },
  'the readers moved to the other worker, and the first one’s series no longer advances': {
    change: oneOf(newest, stops(-60, 60)),
  },
  'a worker has not read the database since it started': {
    change: { ...same(newest, `0x${length}`), ...same(settled, `0x${length}`) },
    fire: ['TrailSettlingBehind', 'TrailStale'],
  },
  'one cluster of two is stale': {
    change: {
      'flow_trail_newest_bucket_timestamp_seconds{cluster="east"}': stops(-60, 30),
      'flow_trail_newest_bucket_timestamp_seconds{cluster="west"}': `-60+60x${length}`,
    },
    fire: ['TrailStale'],
  },
  'nothing has been settled for 40 minutes': {
    change: same(settled, stops(-420, 40)),
    fire: ['TrailSettlingBehind'],
  },
  'nothing has been settled for 20 minutes': { change: same(settled, stops(-420, 20)) },
  'a gap was found': { change: { [gaps]: since(10, '0', '4') }, fire: ['TrailGap'] },
  'a worker found a gap before its first scrape': {
    change: { [gaps]: `_x${at - 10} 4x${length}` },
    fire: ['TrailGap'],
  },
  'a worker that was restarted found a gap': {
    change: { [gaps]: `9x${at - 100} _x89 4x${length}` },
    fire: ['TrailGap'],
  },
  'a gap was found two hours ago': { change: { [gaps]: since(120, '0', '4') } },
  'records were refused': { change: { [incomplete]: since(10, '0', '1') }, fire: ['TrailIncomplete'] },
  'records were refused before the first scrape': {
    change: { [incomplete]: `_x${at - 10} 1x${length}` },
    fire: ['TrailIncomplete'],
  },
  'records were refused two hours ago': { change: { [incomplete]: since(120, '0', '1') } },
  'the supervisor is missing': {
    change: oneOf(health('supervisor'), since(7, '0', '2')),
    fire: ['TrailSupervisorMissing'],
  },
  'the supervisor was missing for three minutes': {
    change: oneOf(health('supervisor'), `0x${at - 4} 2x2 0x${length}`),
  },
  'a schedule is missing': {
    change: same(health('schedules'), since(7, '0', '2')),
    fire: ['TrailScheduleMissing'],
  },
  'a schedule is paused': { change: same(health('schedules'), since(60, '0', '1')) },
  'the database fails': {
    change: {
      ...oneOf(health('database'), since(7, '0', '2')),
      ...oneOf(health('coverage'), since(7, '0', '3')),
    },
    fire: ['TrailDatabaseFailing'],
  },
  'the tables grew by 2.5 GB in two hours, and the worker restarted': {
    change: {
      [storageOfA]: `4000000000x${at - 120} 5000000000x60 _x${length}`,
      [storageOfB]: `_x${at - 30} 0x2 6500000000x${length}`,
    },
    fire: ['TrailGrowing'],
  },
  'the tables grew by 1.5 GB in two hours': {
    change: same([storageOfA, storageOfB], `4000000000x${at - 120} 5500000000x${length}`),
  },
  'a worker that has not read the size yet joins a large trail': {
    change: { [storageOfA]: `9000000000x${length}`, [storageOfB]: `_x${at - 30} 0x2 9000000000x${length}` },
  },
  'Temporal is unavailable': {
    change: {
      ...same(health('temporal'), since(40, '0', '2')),
      ...same(health('supervisor'), since(40, '0', '3')),
    },
    fire: ['TrailTemporalUnavailable'],
  },
  'more than half of the day was not observed': {
    change: same(health('coverage'), since(31, '0', '2')),
    fire: ['TrailUnhealthy'],
  },
  'a gap in the last day': { change: same(health('coverage'), since(60, '0', '1')) },
  'no health check has run yet': {
    change: Object.assign({}, ...healthCheckNames.map((check) => same(health(check), `3x${length}`))),
  },
  'Goldmane refuses the certificate': {
    change: { [refusedCertificate]: `0x${at - 20} 0+2x${length}` },
    fire: ['GoldmaneCertificateRefused'],
  },
  'Goldmane refused the certificate briefly': {
    change: { [refusedCertificate]: since(10, '0', '2') },
  },
  'a certificate expires in six days': {
    change: same(days, since(62, '40', '6')),
    fire: ['CertificateExpiring'],
  },
  'a certificate expires in eight days': { change: same(days, `8x${length}`) },
  'the other worker has checked the renewed certificate': {
    change: oneOf(days, `6x${at - 120} _x${length}`),
  },
  'no certificate has been checked yet': { change: same(days, `_x${length}`) },
  'a digest failed': { change: same(failed('digest'), since(31, '0', '1')), fire: ['DigestFailing'] },
  'a digest failed 20 minutes ago': { change: same(failed('digest'), since(20, '0', '1')) },
  'a digest failed and was run again': {
    change: same(failed('digest'), `0x${at - 90} 1x40 0x${length}`),
  },
  'a digest is overdue': {
    change: same(health('digest'), since(16, '0', '2')),
    fire: ['TrailDigestOverdue'],
  },
  'a job fails': { change: same(failed('freshness'), since(16, '0', '1')), fire: ['JobFailing'] },
  'a job failed once and then completed': {
    change: same(failed('freshness'), `0x${at - 30} 1x5 0x${length}`),
  },
  'the heartbeat is not delivered': {
    change: { [sent]: `0+1x${at - 40} ${at - 40}x${length}`, [timedOut]: `0x${at - 40} 0+1x${length}` },
    fire: ['HeartbeatFailing'],
  },
  'one heartbeat in ten is not delivered': { change: { [timedOut]: `0+0.1x${length}` } },
  'no heartbeat is configured': { change: { [sent]: `0x${length}` } },
  'nothing has been exported for 40 minutes': {
    change: same(exportedUpTo, stops(-420, 40)),
    fire: ['FlowLogExportBehind'],
  },
  'nothing has been exported for 20 minutes': { change: same(exportedUpTo, stops(-420, 20)) },
  'the export is off': {
    change: { ...same(exportEnabled, `0x${length}`), ...same(exportedUpTo, `0x${length}`) },
  },
  'flow logs were not exported': {
    change: { [exportGaps]: since(10, '0', '4') },
    fire: ['FlowLogExportGap'],
  },
  'a worker found a gap of the export before its first scrape': {
    change: { [exportGaps]: `_x${at - 10} 4x${length}` },
    fire: ['FlowLogExportGap'],
  },
  'flow logs were not exported two hours ago': { change: { [exportGaps]: since(120, '0', '4') } },
  'unsettled time was not exported': { change: { [unsettledGaps]: since(10, '0', '4') } },
  'no slot is free': {
    change: { [slots('flow-trail')]: since(12, '99', '0') },
    fire: ['TemporalWorkerSlotsExhausted'],
  },
  'workflow tasks start late': { change: slow('workflow_task'), fire: ['TemporalWorkflowTaskLatency'] },
  'activities start late': { change: slow('activity'), fire: ['TemporalActivityLatency'] },
  'a worker does not poll': {
    change: { [pollers]: since(12, '5', '0') },
    fire: ['TemporalWorkerNotPolling'],
  },
};

test('the rules are valid', async () => {
  const { isGood, text } = await promtool(['check', 'rules'], await readFile(rulesFile, 'utf8'));
  expect(text).toContain('SUCCESS');
  expect(isGood).toBe(true);
});

test('each scenario fires exactly its alerts', async () => {
  const tests = Object.entries(scenarios).map(([name, { change = {}, fire = [] }]) => ({
    name,
    interval: '1m',
    input_series: Object.entries({ ...healthy, ...change }).flatMap(([series, values]) =>
      values === undefined ? [] : [{ series, values }],
    ),
    promql_expr_test: [
      {
        expr: 'count by (alertname) (ALERTS{alertstate="firing"})',
        eval_time: `${at}m`,
        exp_samples: fire.map((alert) => ({ labels: `{alertname="${alert}"}`, value: 1 })),
      },
    ],
  }));
  const { isGood, text } = await promtool(['test', 'rules'], {
    rule_files: [rulesFile],
    evaluation_interval: '1m',
    tests,
  });
  expect(isGood, text).toBe(true);
});

/** The same series of another cluster in the same Prometheus. */
const inCluster = (series: string, cluster: string) => series.replace('{', `{cluster="${cluster}",`);

test('of several clusters in one Prometheus, exactly the one in trouble fires, also if its series disappear', async () => {
  const all = Object.entries(scenarios).filter(
    ([, { change = {} }]) => !Object.keys(change).some((series) => series.includes('cluster=')),
  );
  // A scenario takes half a second.
  const own = isFull
    ? all
    : all.filter(([name]) => /Deployment is gone|nothing is scraped|a digest failed$/.test(name));
  expect(own.length).toBeGreaterThan(2);
  const tests = own.map(([name, { change = {}, fire = [] }]) => {
    const changed = Object.entries({ ...healthy, ...change }).map(([series, values]) => ({
      series: inCluster(series, 'east'),
      // What never existed cannot be missed: the series ends an hour before.
      values: values ?? (healthy[series] ?? '').replace(/x\d+$/, `x${at - 60}`),
    }));
    return {
      name,
      interval: '1m',
      input_series: ['north', 'south']
        .flatMap((cluster) =>
          Object.entries(healthy).map(([series, values]) => ({ series: inCluster(series, cluster), values })),
        )
        .concat(changed),
      promql_expr_test: [
        {
          expr: 'count by (alertname, cluster) (ALERTS{alertstate="firing"})',
          eval_time: `${at}m`,
          exp_samples: fire.map((alert) => ({ labels: `{alertname="${alert}",cluster="east"}`, value: 1 })),
        },
      ],
    };
  });
  const { isGood, text } = await promtool(['test', 'rules'], {
    rule_files: [rulesFile],
    evaluation_interval: '1m',
    tests,
  });
  expect(isGood, text).toBe(true);
});

test('with a scrape interval of a minute and samples that are lost now and then, healthy clusters fire nothing', async () => {
  const lossy = Object.fromEntries(
    Object.entries(healthy).map(([series, values]) => [series, values.replace(/x\d+$/, 'x57')]),
  );
  const { isGood, text } = await promtool(['test', 'rules'], {
    rule_files: [rulesFile],
    evaluation_interval: '1m',
    tests: [
      {
        interval: '4m',
        input_series: Object.entries(lossy).map(([series, values]) => ({
          series: inCluster(series, 'north'),
          values: values.replaceAll(/\+60x/g, '+240x'),
        })),
        promql_expr_test: [
          { expr: 'count(ALERTS{alertstate="firing"})', eval_time: `${at}m`, exp_samples: [] },
        ],
      },
    ],
  });
  expect(isGood, text).toBe(true);
});

test('NaN from one worker does not hide the values of another', async () => {
  const pod = (name: string, value: string) => `label_replace(vector(${value}), "pod", "${name}", "", "")`;
  const { isGood, text } = await promtool(['test', 'rules'], {
    tests: [
      {
        promql_expr_test: [
          { expr: `min(${pod('a', 'NaN')} or ${pod('b', '6')})`, exp_samples: [{ labels: '{}', value: 6 }] },
          { expr: `min(${pod('a', 'NaN')}) < 7`, exp_samples: [] },
        ],
      },
    ],
  });
  expect(isGood, text).toBe(true);
});

test('every alert is fired by a scenario', async () => {
  const fired = new Set(Object.values(scenarios).flatMap(({ fire = [] }) => fire));
  expect((await readRules()).map(({ alert }) => alert).toSorted()).toEqual([...fired].toSorted());
});

test('each alert states cause and cure, and links to a section of the operations guide', async () => {
  const guide = await readFile(join(projectFolder, 'docs/operations.md'), 'utf8');
  const anchors = [...guide.matchAll(/^#+ (.+)$/gm)].map(
    ([, title = '']) =>
      `docs/operations.md#${title
        .toLowerCase()
        .replaceAll(/[^\w -]/g, '')
        .replaceAll(' ', '-')}`,
  );
  for (const { alert, annotations } of await readRules()) {
    expect(anchors, alert).toContain(annotations.runbook_url);
    expect(annotations.description, alert).toMatch(/Causes?\b/);
    expect(annotations.description, alert).toMatch(/\b[Ff]ix:/);
    expect(annotations.summary, alert).toContain('$labels.cluster');
  }
});

test('the dashboard’s expressions are valid', async () => {
  const expressions = promqlOf(await readDashboard());
  expect(expressions.length).toBeGreaterThan(10);
  const rules = expressions.map(({ expr }, index) => ({ record: `panel:${index}`, expr }));
  const { isGood, text } = await promtool(['check', 'rules'], { groups: [{ name: 'panels', rules }] });
  expect(isGood, text).toBe(true);
  for (const { title, expr } of expressions) {
    expect(metricsOf(expr), title).not.toEqual([]);
    // Otherwise, a healthy cluster hides another one: the dashboard first shows all clusters.
    for (const [aggregation] of expr.matchAll(/\b(?:sum|max|min|count)\b ?(?:by )?\([^)]*/g))
      expect(aggregation, title).toMatch(/ by \(cluster\b/);
  }
});
