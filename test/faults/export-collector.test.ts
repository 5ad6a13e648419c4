import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, expect, onTestFinished } from 'vitest';
import { spawnOwned, type OwnedProcess } from '../../dev/owned-process.ts';
import { freePort } from '../../dev/ports.ts';
import { readExportGaps } from '../../src/trail/export/export-gaps.ts';
import { otelCollector } from '../deploy/tools.ts';
import { expectAllExported } from '../support/exported.ts';
import { expectComplete } from '../support/faults.ts';
import { fullTest } from '../support/full.ts';
import { startLogReceiver, type LogReceiver, type Reaction } from '../support/log-receiver.ts';
import { until } from '../support/poll.ts';
import { createWorld, type World } from '../support/world.ts';

let world: World;
/** The receiver to which the Collector exports. */
let store: LogReceiver;
let collectorPort: number;
beforeEach(async () => {
  store = await startLogReceiver();
  onTestFinished(() => store.close());
  world = await createWorld({ speed: 20 });
  world.traffic.start(world.goldmane);
  collectorPort = await freePort();
});

/** Starts a Collector without a queue: it answers only when its store has answered, with an error if the store failed. */
async function startCollector(): Promise<OwnedProcess> {
  const config = {
    receivers: { otlp: { protocols: { http: { endpoint: `127.0.0.1:${collectorPort}` } } } },
    exporters: {
      otlphttp: {
        endpoint: store.url,
        timeout: '1s',
        sending_queue: { enabled: false },
        retry_on_failure: { enabled: false },
      },
    },
    service: {
      telemetry: { metrics: { level: 'none' } },
      pipelines: { logs: { receivers: ['otlp'], exporters: ['otlphttp'] } },
    },
  };
  // JSON is valid YAML.
  const path = join(world.scratch, 'collector.yaml');
  await writeFile(path, JSON.stringify(config));
  const collector = await spawnOwned({
    command: await otelCollector(),
    args: ['--config', path],
    env: { PATH: process.env['PATH'] },
    onLine: () => undefined,
  });
  onTestFinished(() => collector.signal('SIGKILL'));
  return collector;
}

const accepted = (more: number) => {
  const before = store.accepted.length;
  return until(
    'the store receives more records',
    () => (store.accepted.length >= before + more ? true : undefined),
    120_000,
  );
};
const answering =
  (status: number, headers: Record<string, string> = {}): Reaction =>
  (_logs, response) => {
    response.writeHead(status, headers).end();
    return 'answered';
  };

fullTest(
  'a Collector that is down, slow, rejects, hangs and is restarted receives every record, even if the worker is killed',
  async () => {
    const settings = {
      OTLP_LOGS_ENDPOINT: `http://127.0.0.1:${collectorPort}`,
      OTLP_LOGS_BATCH_RECORDS: '10',
      OTLP_LOGS_TIMEOUT_SECONDS: '2',
    };
    let worker = await world.startWorker(settings);
    await until(
      'the export waits for the Collector',
      () => (worker.messages().some((text) => /nothing is listening/i.test(text)) ? true : undefined),
      120_000,
    );
    let collector = await startCollector();
    await accepted(30);
    const faults: Reaction[] = [
      // A slow answer.
      (logs, response) => {
        setTimeout(() => {
          store.accepted.push(...logs);
          response.writeHead(200).end();
        }, 200);
        return 'answered';
      },
      answering(503),
      answering(429, { 'retry-after': '30' }),
      // Not for small batches: a record that is rejected alone is not sent again.
      (logs, response, request) => (logs.length < 4 ? undefined : answering(400)(logs, response, request)),
      () => 'hangs',
    ];
    for (const fault of faults) {
      const before = store.requests.length;
      store.react = fault;
      await until(
        'a request meets the fault',
        () => (store.requests.length >= before + 3 ? true : undefined),
        120_000,
      );
      store.react = () => undefined;
      await accepted(30);
    }
    for (const restart of ['collector', 'worker', 'both'] as const) {
      if (restart !== 'worker') {
        collector.signal('SIGKILL');
        await collector.exited;
      }
      if (restart !== 'collector') await worker.kill();
      if (restart !== 'worker') collector = await startCollector();
      if (restart !== 'collector') worker = await world.startWorker(settings);
      await accepted(30);
    }
    await expectComplete(world);
    await expectAllExported(world, store);
    expect(await readExportGaps(world.db.database.query, 0, 10)).toEqual([]);
    expect(await worker.terminate()).toBe(0);
  },
);
