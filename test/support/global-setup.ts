import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { TestProject } from 'vitest/node';
import { startPostgres } from '../../dev/postgres/server.ts';
import { findTemporal } from '../../dev/temporal/find.ts';
import { startTemporalServer } from '../../dev/temporal/server.ts';
import { createMigratedTemplate } from './database.ts';

declare module 'vitest' {
  interface ProvidedContext {
    postgresUrl: string;
    temporalAddress: string;
    temporalExecutable: string;
  }
}

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Stored on `globalThis`, because each project of a run loads this module again. */
declare global {
  var flowTrailServers: { ready: Promise<Servers>; users: number } | undefined;
}

interface Servers {
  provided: { postgresUrl: string; temporalAddress: string; temporalExecutable: string };
  stop(): Promise<void>;
}

/**
 * Builds the worker as for production and starts the servers that the projects share: one PostgreSQL (each test has its
 * own database) and one Temporal dev server (each test has its own namespace).
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const shared = (globalThis.flowTrailServers ??= { ready: startServers(), users: 0 });
  shared.users += 1;
  const { provided, stop } = await shared.ready;
  project.provide('postgresUrl', provided.postgresUrl);
  project.provide('temporalAddress', provided.temporalAddress);
  project.provide('temporalExecutable', provided.temporalExecutable);
  return async () => {
    shared.users -= 1;
    if (shared.users > 0) return;
    globalThis.flowTrailServers = undefined;
    await stop();
  };
}

async function startServers(): Promise<Servers> {
  const print = (line: string) => process.stdout.write(`[setup] ${line}\n`);
  const scratch = await mkdtemp(join(tmpdir(), 'flow-trail-test-'));
  print('building the worker and its workflow bundle');
  await promisify(execFile)('npm', ['run', 'build'], { cwd: root });
  const executable = await findTemporal({ log: print, signal: new AbortController().signal });
  print('starting PostgreSQL and the Temporal dev server');
  const postgres = await startPostgres({
    // Not below the folder of mkdtemp: if the tests run as root, PostgreSQL runs as a user who cannot enter it.
    dataDir: scratch,
    settings: { fsync: 'off', max_connections: '200' },
  });
  await createMigratedTemplate(postgres.url);
  const temporal = await startTemporalServer({ executable, ui: false });
  return {
    provided: {
      postgresUrl: postgres.url,
      temporalAddress: temporal.address,
      temporalExecutable: executable,
    },
    async stop() {
      await temporal.stop();
      await postgres.remove();
      await rm(scratch, { recursive: true, force: true });
    },
  };
}
