import { expect, test, vi } from 'vitest';
import { withDatabaseOf } from '../../../src/cli/connect/with-database.ts';

test('a command with CLUSTER_NAME waits only once for a database that does not respond', async () => {
  const work = vi.fn();
  await expect(
    withDatabaseOf({ url: 'postgres://flow_trail@127.0.0.1:1/north' }, work, { cluster: 'north' }),
  ).rejects.toMatchObject({ system: 'database', kind: 'connection_refused' });
  expect(work).not.toHaveBeenCalled();
});
