import { join } from 'node:path';
import { inject, onTestFinished } from 'vitest';
import { startPostgres, type Postgres } from '../../dev/postgres/server.ts';
import { startTemporalServer, type TemporalServer } from '../../dev/temporal/server.ts';
import { folderOfTest } from './folder.ts';

/** A PostgreSQL server for the running test alone, which may stop it. It is removed after the test. */
export async function postgresOfTest(): Promise<Postgres> {
  const postgres = await startPostgres({ dataDir: await folderOfTest(), settings: { fsync: 'off' } });
  onTestFinished(() => postgres.remove());
  return postgres;
}

/** A Temporal server with an empty database for the running test alone, which may stop it. It is stopped after the test. */
export async function temporalOfTest(ports: { port?: number } = {}): Promise<TemporalServer> {
  const server = await startTemporalServer({
    executable: inject('temporalExecutable'),
    dataFile: join(await folderOfTest(), 'temporal.sqlite'),
    ui: false,
    ...ports,
  });
  onTestFinished(() => server.stop());
  return server;
}
