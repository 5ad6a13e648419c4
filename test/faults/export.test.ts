import { expect, onTestFinished, test } from 'vitest';
import { trailNames } from '../../src/config/temporal-names.ts';
import { readExportGaps } from '../../src/trail/export/export-gaps.ts';
import { readExportState } from '../../src/trail/export/export-state.ts';
import { flowTrail } from '../support/cli.ts';
import { expectComplete, untilReadBy } from '../support/faults.ts';
import { casesOf, fullTest } from '../support/full.ts';
import {
  partialSuccess,
  startLogReceiver,
  type LogReceiver,
  type Reaction,
} from '../support/log-receiver.ts';
import { expectAllExported } from '../support/exported.ts';
import { until } from '../support/poll.ts';
import { untilReady } from '../support/readyz.ts';
import { createWorld, type World } from '../support/world.ts';

let world: World;
let receiver: LogReceiver;

/** @param speed of the world's clock: slow enough that a busy machine exports everything within Goldmane's hour */
async function begin(speed = 40): Promise<void> {
  receiver = await startLogReceiver();
  onTestFinished(() => receiver.close());
  world = await createWorld({ speed });
  world.traffic.start(world.goldmane);
}

const env = () => ({ OTLP_LOGS_ENDPOINT: receiver.url });

test('workers killed during the export lose no record, and duplicates have the same id', async () => {
  await begin(20);
  // Slow, so that the worker is killed in the middle of a bucket.
  let isSlow = true;
  receiver.react = (logs, response) => {
    if (!isSlow) return undefined;
    setTimeout(() => {
      receiver.accepted.push(...logs);
      response.writeHead(200).end();
    }, 100);
    return 'answered';
  };
  for (let kills = 0; kills < 3; kills += 1) {
    const before = receiver.requests.length;
    const worker = await world.startWorker({ ...env(), OTLP_LOGS_BATCH_RECORDS: '5' });
    await until(
      'the worker exports',
      () => (receiver.requests.length > before + 10 ? true : undefined),
      120_000,
    );
    await worker.kill();
  }
  isSlow = false;
  const worker = await world.startWorker(env());
  await expectComplete(world);
  await expectAllExported(world, receiver);
  expect(await readExportGaps(world.db.database.query, 0, 10)).toEqual([]);
  expect(await worker.terminate()).toBe(0);
});

const answers = casesOf<[string, Reaction]>([
  ['hangs', () => 'hangs'],
  [
    'answers 429 with Retry-After',
    (_logs, response) => {
      response.writeHead(429, { 'retry-after': '60' }).end();
      return 'answered';
    },
  ],
  [
    'answers 400',
    (_logs, response) => {
      response.writeHead(400).end();
      return 'answered';
    },
  ],
  [
    'resets connections',
    (_logs, _response, request) => {
      request.socket.destroy();
      return 'answered';
    },
  ],
]);

test.each(answers)(
  'a receiver that %s delays neither stream nor settling, and receives everything afterwards',
  async (_what, reaction) => {
    await begin();
    receiver.react = reaction;
    const worker = await world.startWorker({ ...env(), OTLP_LOGS_TIMEOUT_SECONDS: '1' });
    await untilReady(worker);
    await until('a request failed', () => (receiver.requests.length > 0 ? true : undefined), 120_000);
    await untilReadBy(worker, world);
    // The trail is complete although nothing was exported.
    await expectComplete(world);
    expect(receiver.accepted).toEqual([]);
    const { trouble, waiting } = await readExportState(world.db.database.query);
    expect(trouble?.text).toContain(`127.0.0.1:${receiver.port}`);
    expect(waiting).toBeGreaterThan(0);
    const { out } = await flowTrail(['status'], world.workerEnv());
    expect(out).toContain(`127.0.0.1:${receiver.port}`);
    receiver.react = () => undefined;
    await expectAllExported(world, receiver);
  },
);

fullTest('a receiver that is started late and restarted receives everything', async () => {
  await begin();
  const { port } = receiver;
  await receiver.close();
  const worker = await world.startWorker({ OTLP_LOGS_ENDPOINT: `http://127.0.0.1:${port}` });
  await until(
    'the export waits',
    () => (worker.messages().some((text) => /nothing is listening/i.test(text)) ? true : undefined),
    120_000,
  );
  receiver = await startLogReceiver({ port });
  await until('records arrive', () => (receiver.accepted.length > 0 ? true : undefined), 120_000);
  const { accepted } = receiver;
  await receiver.close();
  receiver = await startLogReceiver({ port });
  receiver.accepted.push(...accepted);
  await expectComplete(world);
  await expectAllExported(world, receiver);
});

fullTest(
  'records that a receiver rejects with a partial success are counted and not sent again',
  async () => {
    await begin();
    let rejected = 0;
    receiver.react = (logs, response) => {
      if (rejected > 0) return undefined;
      rejected = 1;
      receiver.accepted.push(...logs.slice(1));
      response
        .writeHead(200, { 'content-type': 'application/x-protobuf' })
        .end(partialSuccess(1, 'rejected by a test'));
      return 'answered';
    };
    const worker = await world.startWorker(env());
    await until(
      'the rejection is counted',
      async () =>
        (await worker.metrics('flow_trail_export_records_total{')).some((line) => /rejected.* 1$/.test(line))
          ? true
          : undefined,
      120_000,
    );
    await expectComplete(world);
  },
);

fullTest('a terminated supervisor of the export is started again', async () => {
  await begin();
  const { exportId } = trailNames('');
  const describe = () =>
    world.temporal((client) =>
      client.workflow
        .getHandle(exportId)
        .describe()
        .then(({ status }) => status.name),
    );
  const first = await world.startWorker(env());
  await until('records arrive', () => (receiver.accepted.length > 0 ? true : undefined), 120_000);
  expect(await describe()).toBe('RUNNING');
  await world.temporal((client) => client.workflow.getHandle(exportId).terminate('a test'));
  await until('the supervisor runs again', async () => ((await describe()) === 'RUNNING' ? true : undefined));
  expect(await first.terminate()).toBe(0);
});
