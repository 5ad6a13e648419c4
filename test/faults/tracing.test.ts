import { createServer } from 'node:http';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { jobs } from '../../src/config/temporal-names.ts';
import { flowTrail } from '../support/cli.ts';
import { expectComplete, untilReadBy, untilLogged } from '../support/faults.ts';
import { fullTest } from '../support/full.ts';
import { until } from '../support/poll.ts';
import { untilReady } from '../support/readyz.ts';
import { createWorld, type World } from '../support/world.ts';
import { listen } from '../../dev/ports.ts';

let world: World;
beforeEach(async () => {
  world = await createWorld();
  world.traffic.start(world.goldmane);
});

/** Starts a receiver of spans by OTLP/HTTP. In protobuf, names and attributes are plain text. */
async function startCollector() {
  const received: { path: string; type: string | undefined; body: Buffer }[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      received.push({
        path: request.url ?? '',
        type: request.headers['content-type'],
        body: Buffer.concat(chunks),
      });
      response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end();
    });
  });
  const port = await listen(server);
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    url: `http://127.0.0.1:${port}`,
    received,
    text: () => received.map(({ body }) => body.toString('latin1')).join('\n'),
  };
}

test('spans of workflows, activities and starts are exported with OTLP, without messages, pod names or secrets', async () => {
  const collector = await startCollector();
  const worker = await world.startWorker({
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_SERVICE_NAME: 'trail-of-a-test',
    OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment=test',
    OTEL_BSP_SCHEDULE_DELAY: '200',
  });
  await untilReady(worker);
  await untilReadBy(worker, world);
  await flowTrail(['run', 'housekeeping'], world.workerEnv());
  // The activity fails with a message that contains the address of an unavailable Goldmane.
  await world.goldmane.kill();
  await until(
    'spans of all kinds arrive',
    () => {
      const text = collector.text();
      const spans = [
        'StartWorkflow:superviseTrail',
        'RunWorkflow:' + jobs.housekeeping.workflowType,
        'StartActivity:',
        'RunActivity:settleBuckets',
        'error.type',
        'goldmane_',
      ];
      return spans.every((span) => text.includes(span)) ? true : undefined;
    },
    120_000,
  );
  const text = collector.text();
  expect(collector.received.every(({ path }) => path === '/v1/traces')).toBe(true);
  expect(collector.received[0]?.type).toBe('application/x-protobuf');
  expect(text).toContain('trail-of-a-test');
  expect(text).toContain('deployment.environment');
  expect(text).not.toContain(world.goldmane.address);
  expect(text).not.toContain('exception.message');
  expect(text).not.toContain(new URL(world.db.url).password);
  expect(await worker.terminate()).toBe(0);
});

fullTest('an unavailable collector is logged and does not affect the trail', async () => {
  const worker = await world.startWorker({
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1',
    OTEL_BSP_SCHEDULE_DELAY: '200',
  });
  await untilReady(worker);
  await untilLogged(worker, 'Tracing: spans cannot be sent');
  await untilReadBy(worker, world);
  await expectComplete(world);
});
