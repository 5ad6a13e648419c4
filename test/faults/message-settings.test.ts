import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, inject, test } from 'vitest';
import { flowTrail } from '../support/cli.ts';
import { freePort } from '../../dev/ports.ts';
import { folderPerFile } from '../support/folder.ts';

const workerMain = fileURLToPath(new URL('../../dist/worker/main.js', import.meta.url));
const secret = 'a-password-of-the-database';
const databaseUrl = `postgres://trail:${secret}@127.0.0.1:1/goldmane_edges`;
const scratch = folderPerFile();

/** Runs the worker until it exits; the limit only ends a worker that hangs. */
function runWorker(env: NodeJS.ProcessEnv): Promise<{ code: number | null; out: string; err: string }> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [workerMain],
      {
        env: {
          PATH: process.env['PATH'],
          HOME: scratch,
          LISTEN_HOST: '127.0.0.1',
          HTTP_PORT: '0',
          MAP_PORT: 'off',
          METRICS_PORT: '0',
          ...env,
        },
        timeout: 120_000,
      },
      (_error, out, err) => resolve({ code: child.exitCode, out, err }),
    );
  });
}

/** The shared server's URL with another database or password. */
function databaseOf(name: string, password?: string): string {
  const url = new URL(inject('postgresUrl'));
  url.pathname = `/${name}`;
  if (password !== undefined) url.password = password;
  return url.href;
}

function lines(text: string): string[] {
  return text.trim().split('\n');
}

describe('wrong settings', () => {
  test('are all reported together, each with its cure, before anything starts', async () => {
    const { code, out, err } = await runWorker({
      GOLDMANE_HOST: 'goldmane',
      GOLDMANE_TLS_INSECURE: 'perhaps',
      DATABASE_URL: `mysql://trail:${secret}@127.0.0.1/x`,
      METRICS_PORT: 'many',
      LOG_LEVEL: 'loud',
      PORT_CAP: '0',
      SERVICE_IDENTITY_NAMESPACES: 'monitoring,Not A Namespace',
      TEMPORAL_ADDRESS: 'https://temporal:7233',
      TEMPORAL_TLS: 'yes',
      TEMPORAL_TLS_CLIENT_CERT_PATH: '/nowhere/tls.crt',
    });
    expect(code).toBe(2);
    expect(out).toBe('');
    expect(err).not.toContain(secret);
    const [title, ...problems] = lines(err);
    expect(title).toBe('Invalid settings:');
    const named = problems.map((problem) => /^ {2}- (\w+)/.exec(problem)?.[1] ?? problem);
    expect(named.toSorted()).toEqual([
      'DATABASE_URL',
      'GOLDMANE_HOST',
      'GOLDMANE_TLS_INSECURE',
      'LOG_LEVEL',
      'METRICS_PORT',
      'PORT_CAP',
      'SERVICE_IDENTITY_NAMESPACES',
      'TEMPORAL_ADDRESS',
      'TEMPORAL_TLS',
      'TEMPORAL_TLS_CLIENT_CERT_PATH',
    ]);
  });

  test.each<[NodeJS.ProcessEnv]>([
    [{ TEMPORAL_PROFILE: 'production' }],
    [{ TEMPORAL_CONFIG_FILE: '/nowhere.toml' }],
    [{ TEMPORAL_NAMESPACE: '' }],
    [
      {
        TEMPORAL_TLS_CLIENT_CERT_PATH: workerMain,
        TEMPORAL_TLS_CLIENT_CERT_DATA: 'x',
        TEMPORAL_TLS_CLIENT_KEY_DATA: 'x',
      },
    ],
  ])("of Temporal's connection are reported by name: %j", async (env) => {
    const { code, err } = await runWorker({ DATABASE_URL: databaseUrl, ...env });
    const [title, ...problems] = lines(err);
    expect([code, title]).toEqual([2, 'Invalid settings:']);
    expect(problems.map((problem) => /^ {2}- (\w+)/.exec(problem)?.[1])).toEqual([Object.keys(env)[0]]);
  });

  test('the message about an unreadable Temporal configuration file does not quote it', async () => {
    const file = join(scratch, 'temporal.toml');
    await writeFile(file, `[profile.default]\napi_key = "${secret}" oops\n`);
    const { code, err } = await runWorker({ DATABASE_URL: databaseUrl, TEMPORAL_CONFIG_FILE: file });
    expect(code).toBe(2);
    expect(err).toContain(file);
    expect(err).not.toContain(secret);
  });

  test.each(['HTTP_PORT', 'METRICS_PORT'])(
    'a port of %s that is in use is reported with the setting',
    async (name) => {
      const port = await freePort();
      const taken = createServer().listen(port, '127.0.0.1');
      await once(taken, 'listening');
      try {
        const { code, err } = await runWorker({ DATABASE_URL: databaseUrl, [name]: String(port) });
        expect(code).toBe(2);
        expect(err).toContain(`${name} ${port} `);
      } finally {
        taken.close();
      }
    },
  );
});

describe('the command', () => {
  test.each([
    [['edges', '--nonsense'], '--nonsense'],
    [['edge'], 'edge'],
    [['status', 'now'], 'arguments'],
    [['edges', '--limit', 'all'], '--limit'],
    [['coverage', '--since', 'recently'], '--since'],
    [['edges'], 'DATABASE_URL'],
  ])('%j is rejected with exit code 2, and the message names the mistake', async (args, named) => {
    const { code, out, err } = await flowTrail(args, {});
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain(named);
  });

  test.each(['edges', 'coverage'])('%s without a database fails with one line', async (command) => {
    const nowhere = await freePort();
    const databases = {
      away: `postgres://trail:${secret}@127.0.0.1:${nowhere}/x`,
      absent: databaseOf('no_such_database'),
      empty: inject('postgresUrl'),
      stale: databaseOf('no_such_database', secret),
    };
    const errors: string[] = [];
    for (const url of Object.values(databases)) {
      const { code, out, err } = await flowTrail([command], { DATABASE_URL: url });
      expect([code, out, lines(err)]).toEqual([1, '', [expect.stringMatching(/^flow-trail: /)]]);
      expect(err).not.toContain(secret);
      errors.push(err);
    }
    expect(new Set(errors).size).toBe(errors.length);
    expect(errors[0]).toContain(`127.0.0.1:${nowhere}`);
    expect(errors[1]).toContain('no_such_database');
  });

  test.each([
    ['refuses connections', (port: number) => `127.0.0.1:${port}`],
    ['does not resolve', () => 'temporal.invalid:7233'],
  ])('status with an address that %s fails with one line', async (_why, addressOf) => {
    const address = addressOf(await freePort());
    const { code, out, err } = await flowTrail(['status'], { TEMPORAL_ADDRESS: address });
    expect([code, out, lines(err)]).toEqual([1, '', [expect.stringContaining(address)]]);
  });

  test('status reports a server that is not Temporal', async () => {
    const port = await freePort();
    const silent = createServer().listen(port, '127.0.0.1');
    await once(silent, 'listening');
    const { code, err } = await flowTrail(['status'], { TEMPORAL_ADDRESS: `127.0.0.1:${port}` });
    silent.close();
    expect(code).toBe(1);
    expect(err).toContain(`127.0.0.1:${port}`);
  });

  test('status reports that no worker has ever started', async () => {
    const address = inject('temporalAddress');
    const { code, out, err } = await flowTrail(['status'], { TEMPORAL_ADDRESS: address });
    expect([code, err]).toEqual([3, '']);
    expect(out).not.toBe('');
    const missing = await flowTrail(['status'], {
      TEMPORAL_ADDRESS: address,
      TEMPORAL_NAMESPACE: 'no-such-namespace',
    });
    expect(missing.code).toBe(1);
    expect(lines(missing.err)).toEqual([expect.stringContaining('no-such-namespace')]);
  });
});
