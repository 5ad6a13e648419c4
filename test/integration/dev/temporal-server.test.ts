import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import { isPortFree } from '../../../dev/ports.ts';
import { startTemporalServer, type TemporalServer } from '../../../dev/temporal/server.ts';
import { until } from '../../support/poll.ts';
import { folderOfTest } from '../../support/folder.ts';

let directory = '';
let server: TemporalServer | undefined;

beforeEach(async () => {
  directory = await folderOfTest();
});
afterEach(async () => {
  await server?.stop();
  server = undefined;
});

async function withClient<T>(address: string, work: (client: Client) => Promise<T>): Promise<T> {
  const connection = await Connection.connect({ address });
  try {
    return await work(new Client({ connection }));
  } finally {
    await connection.close();
  }
}

describe('the Temporal dev server', () => {
  test('serves its UI and keeps closed runs for 30 days', async () => {
    server = await startTemporalServer({ executable: inject('temporalExecutable') });
    expect((await fetch(server.uiUrl)).status).toBe(200);
    const retention = await withClient(server.address, async ({ workflowService }) => {
      const { config } = await workflowService.describeNamespace({ namespace: 'default' });
      return Number(config?.workflowExecutionRetentionTtl?.seconds);
    });
    expect(retention).toBe(30 * 24 * 60 * 60);
  });

  test('keeps its workflows after a kill and a restart on the same ports', async () => {
    server = await startTemporalServer({
      executable: inject('temporalExecutable'),
      dataFile: join(directory, 'temporal.db'),
      ui: false,
    });
    const { address } = server;
    await withClient(address, (client) =>
      client.workflow.start('nobodyRunsThis', { taskQueue: 'nobody', workflowId: 'kept', args: [] }),
    );
    await server.kill();
    await server.start();
    expect(server.address).toBe(address);
    const status = await until('the workflow is found', () =>
      withClient(address, async (client) => (await client.workflow.getHandle('kept').describe()).status.name),
    );
    expect(status).toBe('RUNNING');
  });

  test('replaces a server that an earlier start left running on the same file', async () => {
    const options = {
      executable: inject('temporalExecutable'),
      dataFile: join(directory, 'temporal.db'),
      ui: false,
    };
    const first = await startTemporalServer(options);
    const lines: string[] = [];
    server = await startTemporalServer({ ...options, log: (line) => lines.push(line) });
    expect(lines.join('\n')).toContain(`stopped process ${first.pid} of an earlier start`);
    await until('its port is free', async () => ((await isPortFree(first.port)) ? true : undefined), 10_000);
  });
});
