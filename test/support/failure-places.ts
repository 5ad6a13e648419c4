import { readFile } from 'node:fs/promises';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { expect } from 'vitest';
import { supervisorWorkflowId } from '../../src/config/temporal-names.ts';
import { flowTrail } from './cli.ts';
import { failuresIn, untilFailure } from './faults.ts';
import { until } from './poll.ts';
import type { WorkerProcess } from './worker-process.ts';
import type { World } from './world.ts';

/** The places where a failure is shown to operators. */
const places = ['log', 'attempts', 'status', 'command'] as const;
type Place = (typeof places)[number];

/** The current content of a place, as text. */
export async function readPlace(world: World, worker: WorkerProcess, place: Place): Promise<string> {
  switch (place) {
    case 'log':
      return worker.lines.join('\n');
    case 'attempts':
      return pendingAttempts(world);
    case 'status':
      return JSON.stringify(await world.supervisor('status'));
    case 'command': {
      const { out, err } = await flowTrail(['status'], world.workerEnv());
      return out + err;
    }
  }
}

/**
 * Waits until a failure of this kind, with these values in its message, is logged, and until the pending attempts in the
 * UI, the status query and `flow-trail status` show the message.
 */
export async function untilFailureShown(
  world: World,
  worker: WorkerProcess,
  kind: string,
  { values = [], where = places }: { values?: readonly string[]; where?: readonly Place[] } = {},
): Promise<void> {
  const logged = () => failuresIn(worker, kind, values);
  await untilFailure(worker, kind, values);
  await Promise.all(
    where.map(async (place) => {
      let shown = '';
      await until(`${place} shows the failure ${kind}`, async () => {
        shown = (await readPlace(world, worker, place)).toLowerCase();
        return logged().some((message) => shows(shown, message.toLowerCase())) ? true : undefined;
      }).catch((error: unknown) => {
        throw new Error(`${place} shows instead: ${shown.slice(-3_000)}`, { cause: error });
      });
    }),
  );
}

/** Whether the text contains the message, also JSON-escaped. */
function shows(text: string, message: string): boolean {
  return text.includes(message) || text.includes(JSON.stringify(message).slice(1, -1));
}

/** Waits until neither reader fails and all places show that. */
export async function untilConnected(world: World): Promise<void> {
  await until('no reader fails', async () => {
    const status = await world.supervisor<{
      lastError?: string;
      stream: { state: string };
      settle: { state: string };
    }>('status');
    const isWell = status.stream.state === 'connected' && status.settle.state === 'connected';
    return isWell && status.lastError === undefined ? true : undefined;
  });
}

/** The last failure and the heartbeat of each pending activity, as shown in the UI. */
async function pendingAttempts(world: World): Promise<string> {
  return world.temporal(async (client) => {
    const { raw } = await client.workflow.getHandle(supervisorWorkflowId).describe();
    return (raw.pendingActivities ?? [])
      .map(({ activityType, attempt, lastFailure, heartbeatDetails }) => {
        const beats = (heartbeatDetails?.payloads ?? []).map(({ data }) =>
          Buffer.from(data ?? []).toString('utf8'),
        );
        return `${activityType?.name} attempt ${attempt}\n${lastFailure?.message ?? ''}\n${beats.join('\n')}`;
      })
      .join('\n');
  });
}

/**
 * Checks that no log, workflow history, query or CLI output contains a secret (invariant 9), after checking that each
 * secret is long enough for the search.
 */
export async function expectNoSecretShown(world: World, more: readonly string[] = []): Promise<void> {
  const { password } = new URL(world.db.url);
  const key = await readFile(world.workerEnv()['TLS_KEY_PATH'] ?? '', 'utf8').catch(() => '');
  const keyLines = [key, world.certificates.client.key].flatMap((pem) =>
    pem.split('\n').filter((line) => line.length > 20 && !line.startsWith('-----')),
  );
  const secrets = [password, ...keyLines, ...more];
  for (const secret of secrets) expect(secret.length).toBeGreaterThan(8);
  const shown = world.workers.flatMap(({ lines }) => lines);
  const history = await world.temporal(async (client) =>
    historyToJSON(await client.workflow.getHandle(supervisorWorkflowId).fetchHistory()),
  );
  const payloads = [...history.matchAll(/"data": *"([A-Za-z0-9+/=]+)"/g)].map(([, data = '']) =>
    Buffer.from(data, 'base64').toString('utf8'),
  );
  expect(payloads.length).toBeGreaterThan(0);
  shown.push(history, ...payloads, await pendingAttempts(world));
  const text = shown.join('\n');
  expect(secrets.filter((secret) => text.includes(secret))).toEqual([]);
}
