import { Client, type Connection } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';
import { until } from './poll.ts';

/** Registers a Temporal namespace, and waits until schedules can be created in it. @returns a client for it */
export async function createNamespaceClient(connection: Connection, namespace: string): Promise<Client> {
  await connection.workflowService.registerNamespace({
    namespace,
    workflowExecutionRetentionPeriod: msToTs('1 day'),
  });
  const client = new Client({ connection, namespace });
  await until('the namespace is usable', () =>
    client.schedule
      .getHandle('none')
      .describe()
      .catch((error: unknown) => (/not found/i.test(String(error)) ? true : undefined)),
  );
  return client;
}
