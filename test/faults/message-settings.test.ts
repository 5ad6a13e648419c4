import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { flowTrail } from '../support/cli.ts';
import { freePort } from '../../dev/ports.ts';

const workerMain = fileURLToPath(new URL('../../dist/worker/main.js', import.meta.url));
const secret = 'a-password-of-the-database';
const databaseUrl = `postgres://trail:${secret}@127.0.0.1:1/goldmane_edges`;
let scratch: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'flow-trail-settings-'));
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

/** Runs the worker until it ends by itself; the limit only ends what hangs. */
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

  test.each([
    [
      { TEMPORAL_PROFILE: 'production' },
      /TEMPORAL_PROFILE names "production", which cannot be had from .*not found/,
    ],
    [
      { TEMPORAL_CONFIG_FILE: '/nowhere.toml' },
      /TEMPORAL_CONFIG_FILE names \/nowhere.toml, which is missing; mount the file/,
    ],
    [{ TEMPORAL_NAMESPACE: '' }, /TEMPORAL_NAMESPACE is empty; give it a value or unset it/],
    [
      {
        TEMPORAL_TLS_CLIENT_CERT_PATH: workerMain,
        TEMPORAL_TLS_CLIENT_CERT_DATA: 'x',
        TEMPORAL_TLS_CLIENT_KEY_DATA: 'x',
      },
      /TEMPORAL_TLS_CLIENT_CERT_PATH is set together with TEMPORAL_TLS_CLIENT_CERT_DATA; keep one of the two/,
    ],
  ])("of Temporal's connection are told by their names: %j", async (env, message) => {
    const { code, err } = await runWorker({ DATABASE_URL: databaseUrl, ...env });
    expect([code, lines(err)]).toEqual([2, ['Invalid settings:', expect.stringMatching(message)]]);
  });

  test("that Temporal's configuration file cannot be read does not quote it", async () => {
    const file = join(scratch, 'temporal.toml');
    await writeFile(file, `[profile.default]\napi_key = "${secret}" oops\n`);
    const { code, err } = await runWorker({ DATABASE_URL: databaseUrl, TEMPORAL_CONFIG_FILE: file });
    expect(code).toBe(2);
    expect(err).toMatch(new RegExp(`${file} cannot be used \\(.*\\); correct it`));
    expect(err).not.toContain(secret);
  });

  test.each(['HTTP_PORT', 'METRICS_PORT'])('%s in use is reported with its name', async (name) => {
    const port = await freePort();
    const taken = createServer().listen(port, '127.0.0.1');
    await once(taken, 'listening');
    try {
      const { code, err } = await runWorker({ DATABASE_URL: databaseUrl, [name]: String(port) });
      expect(code).toBe(2);
      expect(err).toMatch(
        new RegExp(`${name} ${port} cannot be listened on at 127.0.0.1 \\(.*in use.*\\); free the port`, 'i'),
      );
    } finally {
      taken.close();
    }
  });
});

describe('the command', () => {
  test.each([
    [['edges', '--nonsense'], /^error: unknown option '--nonsense'\n\(flow-trail edges --help/],
    [['edge'], /^error: unknown command 'edge'\n/],
    [['status', 'now'], /^error: too many arguments/],
    [['edges', '--limit', 'all'], /^flow-trail: --limit "all" is not .*\n$/],
    [['coverage', '--since', 'yesterday'], /^flow-trail: --since "yesterday" is not a time/],
    [['edges'], /^flow-trail: Invalid settings:\n {2}- DATABASE_URL is missing; set it/],
  ])('%j is refused with an explanation and exit code 2', async (args, message) => {
    const { code, out, err } = await flowTrail(args, {});
    expect([code, out]).toEqual([2, '']);
    expect(err).toMatch(message);
  });

  test.each(['edges', 'coverage'])(
    '%s without a database says so in one line, and fails',
    async (command) => {
      const nowhere = await freePort();
      const away = await flowTrail([command], {
        DATABASE_URL: `postgres://trail:${secret}@127.0.0.1:${nowhere}/x`,
      });
      expect(away).toEqual({
        code: 1,
        out: '',
        err: `flow-trail: Nothing answers where DATABASE_URL points (connect ECONNREFUSED 127.0.0.1:${nowhere}). Start Postgres, or correct host and port in DATABASE_URL.\n`,
      });
      const missing = new URL(inject('postgresUrl'));
      missing.pathname = '/no_such_database';
      const absent = await flowTrail([command], { DATABASE_URL: missing.href });
      expect(absent).toEqual({
        code: 1,
        out: '',
        err: 'flow-trail: The database does not exist (database "no_such_database" does not exist). Create the database, or correct its name in DATABASE_URL.\n',
      });
      const empty = await flowTrail([command], { DATABASE_URL: inject('postgresUrl') });
      expect([empty.code, lines(empty.err)]).toEqual([
        1,
        [expect.stringMatching(/^flow-trail: The schema is missing or too old .*. Start the worker once/)],
      ]);
      missing.password = secret;
      const stale = await flowTrail([command], { DATABASE_URL: missing.href });
      expect(stale.code).toBe(1);
      expect(lines(stale.err)).toEqual([
        expect.stringMatching(/^flow-trail: .* Stale database password: .*DATABASE_URL_FILE/),
      ]);
      expect(stale.err).not.toContain(secret);
    },
  );

  test.each([
    [
      (port: number) => `127.0.0.1:${port}`,
      /^flow-trail: Connection refused: no Temporal listens at .*. Start it, or correct TEMPORAL_ADDRESS/,
    ],
    [
      () => 'temporal.invalid:7233',
      /^flow-trail: The host name of Temporal, temporal.invalid:7233, does not resolve .*. Correct TEMPORAL_ADDRESS, or the DNS/,
    ],
  ])('status without Temporal says so in one line and fails', async (address, message) => {
    const { code, out, err } = await flowTrail(['status'], { TEMPORAL_ADDRESS: address(await freePort()) });
    expect([code, out, lines(err)]).toEqual([1, '', [expect.stringMatching(message)]]);
  });

  test('status of a server that is not Temporal says so', async () => {
    const port = await freePort();
    const silent = createServer().listen(port, '127.0.0.1');
    await once(silent, 'listening');
    const { code, err } = await flowTrail(['status'], { TEMPORAL_ADDRESS: `127.0.0.1:${port}` });
    silent.close();
    expect(code).toBe(1);
    expect(err).toMatch(/accepts connections but does not answer as Temporal's gRPC.*TEMPORAL_TLS/);
  });

  test('status where no worker ever started says so', async () => {
    const address = inject('temporalAddress');
    const { code, out, err } = await flowTrail(['status'], { TEMPORAL_ADDRESS: address });
    expect([code, err]).toEqual([3, '']);
    expect(out).toContain('There is no supervisor');
    const missing = await flowTrail(['status'], {
      TEMPORAL_ADDRESS: address,
      TEMPORAL_NAMESPACE: 'no-such-namespace',
    });
    expect(missing.code).toBe(1);
    expect(missing.err).toMatch(
      /^flow-trail: Temporal at .* has no namespace no-such-namespace. Create it .*\n$/,
    );
  });
});
