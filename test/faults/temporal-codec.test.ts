import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { beforeEach, expect, inject, onTestFinished, test } from 'vitest';
import { jobs, supervisorWorkflowId } from '../../src/config/temporal-names.ts';
import { CodecKeys } from '../../src/temporal/codec-keys.ts';
import { serveCodec } from '../../src/temporal/codec-server.ts';
import { EncryptionCodec } from '../../src/temporal/codec.ts';
import { flowTrail } from '../support/cli.ts';
import { expectComplete, untilReadBy } from '../support/faults.ts';
import { fullTest } from '../support/full.ts';
import { until } from '../support/poll.ts';
import { untilNotReady, untilReady } from '../support/readyz.ts';
import { createWorld, type World } from '../support/world.ts';
import { portOf } from '../../dev/ports.ts';

const token = 'a-token-for-the-codec-server';
const line = (id: string) => `${id}:${randomBytes(32).toString('base64')}\n`;
let world: World;
let keyFile: string;
beforeEach(async () => {
  world = await createWorld();
  keyFile = `${world.scratch}/codec-keys`;
  world.traffic.start(world.goldmane);
});

const status = async (env: NodeJS.ProcessEnv = {}) => {
  const { code, out, err } = await flowTrail(['status'], { ...world.workerEnv(), ...env });
  return { code, text: out + err };
};

/** The history of the supervisor's current run, as stored by Temporal. */
const history = () =>
  world.temporal(async (client) =>
    historyToJSON(await client.workflow.getHandle(supervisorWorkflowId).fetchHistory()),
  );

/** A stored history as JSON, followed by the decoded base64 texts in it. */
async function textsOf(workflowId: string): Promise<string> {
  const json = await world.temporal(async (client) =>
    historyToJSON(await client.workflow.getHandle(workflowId).fetchHistory()),
  );
  return fromBase64(json);
}

/** All strings in the JSON, and their base64-decoded contents. */
function fromBase64(json: string): string {
  const texts: string[] = [];
  JSON.parse(json, (_key, value: unknown) => {
    if (typeof value === 'string') texts.push(value, Buffer.from(value, 'base64').toString('latin1'));
  });
  return texts.join('\n');
}

/** The output of Temporal's CLI for a workflow, with or without the codec server. */
async function show(endpoint?: string, workflowId = supervisorWorkflowId): Promise<string> {
  const codec =
    endpoint === undefined ? [] : ['--codec-endpoint', endpoint, '--codec-auth', `Bearer ${token}`];
  const place = ['--address', world.temporalAddress, '--namespace', world.namespace];
  const { stdout } = await promisify(execFile)(
    inject('temporalExecutable'),
    ['workflow', 'show', '-w', workflowId, '-o', 'json', ...place, ...codec],
    { maxBuffer: 100 * 1024 * 1024 },
  );
  return stdout;
}

test('payloads are encrypted from the first window on, every command reads them with the key, and an older plain history continues', async () => {
  const plain = await world.startWorker();
  await untilReady(plain);
  await untilReadBy(plain, world);
  await until('a window has ended', async () =>
    (await history()).includes('"eventType": "EVENT_TYPE_ACTIVITY_TASK_COMPLETED"') ? true : undefined,
  );
  expect((await history()).includes(encrypted)).toBe(false);
  await plain.terminate();

  await writeFile(keyFile, line('2026'));
  world.payloadCodecs = [new EncryptionCodec(new CodecKeys(keyFile))];
  const env = { TEMPORAL_CODEC_KEY_FILE: keyFile };
  const worker = await world.startWorker(env);
  await untilReady(worker);
  await untilReadBy(worker, world);
  await until('a result is encrypted', async () =>
    (await history()).includes(encrypted) ? true : undefined,
  );
  await until('status decrypts every payload', async () =>
    (await status(env)).code === 0 ? true : undefined,
  );
  const job = await flowTrail(['run', 'housekeeping'], { ...world.workerEnv(), ...env });
  expect([job.code, job.err]).toEqual([0, expect.stringContaining('started')]);

  const withoutKey = await status();
  expect(withoutKey.code).not.toBe(0);
  expect(withoutKey.text).toMatch(/"2026".*TEMPORAL_CODEC_KEY_FILE/);

  // The message of this failed run quotes its input.
  const derivation = 'a-derivation';
  const quoted = 'tenant-of-a-secret';
  const derive = world.temporal((client) =>
    client.workflow.execute('deriveAllowlist', {
      workflowId: derivation,
      taskQueue: 'flow-trail',
      args: [{ [quoted]: true }],
    }),
  );
  await expect(derive).rejects.toMatchObject({ cause: { message: expect.stringContaining(quoted) } });
  const stored = await textsOf(derivation);
  expect(stored).toContain('Encoded failure');
  expect(stored).not.toContain(quoted);
  expect(stored).not.toMatch(/\.[jt]s:\d+/);
  const listed = await flowTrail(['runs', '--job', 'allowlist'], { ...world.workerEnv(), ...env });
  expect(listed.out).toContain(quoted);

  const server = await serveCodec({
    codec: new EncryptionCodec(new CodecKeys(keyFile)),
    host: '127.0.0.1',
    port: 0,
    origins: [],
    token,
    requiresToken: false,
    onFailure: (error) => expect.unreachable(String(error)),
  });
  onTestFinished(() => void server.close());
  const endpoint = `http://127.0.0.1:${portOf(server)}`;
  expect(await show()).toContain(encrypted);
  const decoded = await show(endpoint);
  expect(decoded).not.toContain(encrypted);
  expect(decoded).toContain('EVENT_TYPE_ACTIVITY_TASK_COMPLETED');
  expect(fromBase64(await show(endpoint, derivation))).toContain(quoted);
});

fullTest('the failures of attempts are encrypted, and `status` decrypts them with the key', async () => {
  await writeFile(keyFile, line('2026'));
  world.payloadCodecs = [new EncryptionCodec(new CodecKeys(keyFile))];
  const env = { TEMPORAL_CODEC_KEY_FILE: keyFile };
  const worker = await world.startWorker(env);
  await untilReady(worker);
  await untilReadBy(worker, world);
  await world.goldmane.kill();
  const host = world.goldmane.address;
  await until('status shows the failure of the attempts', async () =>
    (await status(env)).text.match(/the previous one failed: .*Goldmane/) ? true : undefined,
  );
  const { raw } = await world.temporal((client) =>
    client.workflow.getHandle(supervisorWorkflowId).describe(),
  );
  const failures = (raw.pendingActivities ?? []).flatMap(({ lastFailure }) =>
    lastFailure ? [lastFailure] : [],
  );
  expect(failures.length).toBeGreaterThan(0);
  for (const { message, stackTrace } of failures)
    expect([message, stackTrace]).toEqual(['Encoded failure', '']);
  expect(JSON.stringify(failures)).not.toContain(host);
});

fullTest(
  'a worker without the right key waits, takes no tasks, and starts once the file contains it',
  async () => {
    const [right, wrong] = [line('2026'), line('2026')];
    await writeFile(keyFile, right);
    world.payloadCodecs = [new EncryptionCodec(new CodecKeys(keyFile))];
    const env = { TEMPORAL_CODEC_KEY_FILE: keyFile };
    const first = await world.startWorker(env);
    await untilReady(first);
    await untilReadBy(first, world);
    const runOf = () =>
      world.temporal(async (client) => {
        const { workflowService } = client;
        const { workflowExecutionInfo } = await workflowService.describeWorkflowExecution({
          namespace: world.namespace,
          execution: { workflowId: supervisorWorkflowId },
        });
        return workflowExecutionInfo?.execution?.runId;
      });
    const run = await runOf();
    await first.terminate();

    const without = await world.startWorker();
    await untilNotReady(without, /"2026".*TEMPORAL_CODEC_KEY_FILE is not set/);
    await without.terminate();

    await writeFile(keyFile, wrong);
    const worker = await world.startWorker(env);
    await untilNotReady(worker, /"2026".*cannot decrypt/);
    expect((await status(env)).text).toMatch(/cannot decrypt/);
    await writeFile(keyFile, 'broken\n');
    expect((await status(env)).text).toMatch(/line 1/);
    await writeFile(keyFile, line('2027') + right);
    await untilReady(worker);
    await untilReadBy(worker, world);
    expect(await runOf()).toBe(run);

    // The previous keys are lost.
    await writeFile(keyFile, line('2028'));
    await untilNotReady(worker, /which is not in/);
    await world.temporal(async (client) => {
      await client.workflow.getHandle(supervisorWorkflowId).terminate('a test');
      for (const { scheduleId } of Object.values(jobs)) await client.schedule.getHandle(scheduleId).delete();
    });
    await untilReady(worker);
    await untilReadBy(worker, world);
    const runs = await flowTrail(['runs', '--json'], { ...world.workerEnv(), ...env });
    expect([runs.code, runs.err]).toEqual([0, '']);
    await until('status is good', async () => ((await status(env)).code === 0 ? true : undefined));
    await expectComplete(world);
  },
);

/** `binary/encrypted` in base64, as in histories in JSON. */
const encrypted = Buffer.from('binary/encrypted').toString('base64');
