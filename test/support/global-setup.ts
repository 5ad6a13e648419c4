import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { TestProject } from 'vitest/node';
import { startPostgres } from '../../dev/postgres.ts';
import { findTemporal } from '../../dev/temporal/find.ts';
import { startTemporalServer } from '../../dev/temporal/server.ts';

declare module 'vitest' {
  interface ProvidedContext {
    postgresUrl: string;
    temporalAddress: string;
    temporalExecutable: string;
  }
}

const root = fileURLToPath(new URL('../..', import.meta.url));

/**
 * What all integration tests share: the worker as it is built for production, one PostgreSQL (each test has a database of
 * its own) and one Temporal dev server (each test has a namespace of its own).
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const say = (line: string) => process.stdout.write(`[setup] ${line}\n`);
  const scratch = await mkdtemp(join(tmpdir(), 'flow-trail-test-'));
  say('building the worker and its workflow bundle');
  await promisify(execFile)('npm', ['run', 'build'], { cwd: root });
  const executable = await findTemporal({ log: say, signal: new AbortController().signal });
  say('starting PostgreSQL and the Temporal dev server');
  const postgres = await startPostgres({
    // Not below it: the user that root has to run PostgreSQL as does not get through a directory of mkdtemp.
    dataDir: scratch,
    settings: { fsync: 'off', max_connections: '200' },
  });
  const temporal = await startTemporalServer({ executable, ui: false });
  project.provide('postgresUrl', postgres.url);
  project.provide('temporalAddress', temporal.address);
  project.provide('temporalExecutable', executable);
  return async () => {
    await temporal.stop();
    await postgres.remove();
    await rm(scratch, { recursive: true, force: true });
  };
}
