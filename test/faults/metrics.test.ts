import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { connect } from 'node:net';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { readyz } from '../support/readyz.ts';
import { metricsOf, promqlOf, readDashboard, readRules } from '../deploy/rules.ts';
import { startLogReceiver } from '../support/log-receiver.ts';
import { until } from '../support/poll.ts';
import { createWorld, type World } from '../support/world.ts';
import { listen } from '../../dev/ports.ts';

let world: World;
let heartbeats: string[];
let service: Server;
let heartbeatUrl: string;

beforeEach(async () => {
  heartbeats = [];
  service = createServer((request, response) => {
    heartbeats.push(`${request.method} ${request.url}`);
    response.end('OK');
  });
  heartbeatUrl = `http://127.0.0.1:${await listen(service)}/secret-of-the-check`;
  onTestFinished(() => {
    service.closeAllConnections();
    service.close();
  });
  world = await createWorld();
});

const series = (text: string) => text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
const namesOf = (lines: readonly string[]) => new Set(lines.map((line) => /^[a-z0-9_]+/.exec(line)?.[0]));

test('every metric of an alert or panel is exported: ours from the first scrape, the SDK’s once work was done', async () => {
  const rules = await readRules();
  const panels = promqlOf(await readDashboard());
  const ofRules = rules.flatMap(({ expr }) => metricsOf(expr)).filter((name) => !name.startsWith('kube_'));
  const ofPanels = panels.flatMap(({ expr }) => metricsOf(expr));
  expect(ofPanels).toContain('flow_trail_export_waiting_buckets');
  const receiver = await startLogReceiver();
  onTestFinished(() => receiver.close());
  const worker = await world.startWorker({ HEARTBEAT_URL: heartbeatUrl, OTLP_LOGS_ENDPOINT: receiver.url });
  const scrape = async () =>
    series(await (await fetch(`http://127.0.0.1:${worker.metricsPort}/metrics`)).text());
  const first = await until('the worker is scraped', scrape);
  const missing = (names: readonly string[], shown: readonly string[]) => {
    const known = namesOf(shown);
    return [...new Set(names)].filter((name) => !known.has(name));
  };
  // Histograms have no series before their first value; no alert on our own metrics uses one.
  const atOnce = [...ofRules, ...ofPanels.filter((name) => !name.endsWith('_bucket'))];
  expect(
    missing(
      atOnce.filter((name) => name.startsWith('flow_trail_')),
      first,
    ),
  ).toEqual([]);
  for (const each of ['supervisor', 'database', 'schedules', 'digest'])
    expect(
      first.find((line) => line.startsWith('flow_trail_health') && line.includes(`check="${each}"`)),
    ).toBeDefined();

  world.traffic.start(world.goldmane);
  const last = await until('every metric has a value', async () => {
    const shown = await scrape();
    return missing([...ofRules, ...ofPanels], shown).length === 0 ? shown : undefined;
  });
  expect(missing([...ofRules, ...ofPanels], last)).toEqual([]);
  // Prometheus replaces these labels by those of the target and renames ours (`exported_job`): a rule with job="digest"
  // would never match.
  const ofTargets = /[{,](job|instance|namespace|pod|container|endpoint|service|node)=/;
  expect(last.filter((line) => line.startsWith('flow_trail_') && ofTargets.test(line))).toEqual([]);

  await until('a heartbeat is sent', () => (heartbeats.length > 0 ? true : undefined));
  expect(new Set(heartbeats)).toEqual(new Set(['GET /secret-of-the-check']));
  expect(worker.lines.join('\n')).not.toContain('secret-of-the-check');
  expect(await worker.metrics('flow_trail_heartbeats_total{result="sent"')).toHaveLength(1);

  // /metrics agrees with /readyz?verbose.
  await until('the metrics and /readyz?verbose agree', async () => {
    const text = await (await fetch(`http://127.0.0.1:${worker.httpPort}/readyz?verbose`)).text();
    const levels = ['PASS', 'WARN', 'FAIL'];
    const shown = new Map(
      (await worker.metrics('flow_trail_health{')).map((line) => [
        /check="([a-z]+)"/.exec(line)?.[1],
        levels[Number(line.split(' ').at(-1))],
      ]),
    );
    const printed = [...text.matchAll(/^(PASS|WARN|FAIL) {2}([a-z]+)/gm)].map(
      ([, level, check]) => [check, level] as const,
    );
    expect(printed.length).toBe(9);
    expect(Object.fromEntries(shown)).toEqual(Object.fromEntries(printed));
    return true;
  });
});

test('a half-open or slow request to health or metrics is closed, and others are answered meanwhile', async () => {
  const worker = await world.startWorker({});
  await until('the worker answers', () => readyz(worker));
  const requests = [
    '',
    'GET /metrics HTTP/1.1\r\nHost: a\r\n',
    'POST /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n',
  ];
  const startedAt = Date.now();
  const sockets = [worker.httpPort, worker.metricsPort].flatMap((port) =>
    requests.map((text) => {
      const socket = connect(port, '127.0.0.1', () => socket.write(text));
      return {
        socket,
        closed: once(
          socket.resume().on('error', () => undefined),
          'close',
        ),
      };
    }),
  );
  expect((await fetch(`http://127.0.0.1:${worker.httpPort}/healthz`)).status).toBe(200);
  expect((await fetch(`http://127.0.0.1:${worker.metricsPort}/metrics`)).status).toBe(200);
  await Promise.all(sockets.map(({ closed }) => closed));
  expect(Date.now() - startedAt).toBeLessThan(60_000);
});
