import { execFileSync } from 'node:child_process';
import { chmod, chown, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { issueCertificates } from '../../dev/certificates.ts';
import { startPostgres, type Postgres } from '../../dev/postgres/server.ts';
import { openDatabase, type Database } from '../../src/trail/database/database.ts';
import { folderPerFile } from '../support/folder.ts';

const folder = folderPerFile();
let server: Postgres;
const closing: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  await chmod(folder, 0o755);
  const [issued, others] = [await issueCertificates(), await issueCertificates()];
  await writeFile(join(folder, 'ca.crt'), issued.authority.certificate);
  await writeFile(join(folder, 'other-ca.crt'), others.authority.certificate);
  const certified = await issued.authority.issue({
    usage: 'server',
    commonName: 'db.example',
    names: ['db.example'],
  });
  await writeFile(join(folder, 'server.crt'), certified.certificate);
  await writeFile(join(folder, 'server.key'), certified.key, { mode: 0o600 });
  await writeFile(join(folder, 'empty.crt'), '');
  await writeFile(
    join(folder, 'pg_hba.conf'),
    'hostnossl all tls_only 127.0.0.1/32 reject\nhost all all 127.0.0.1/32 scram-sha-256\n',
  );
  // If the tests run as root, PostgreSQL runs as another user, who must own the key.
  if (process.getuid?.() === 0)
    await chown(join(folder, 'server.key'), userId('postgres') ?? userId('nobody') ?? 0, 0);
  server = await startPostgres({
    dataDir: join(folder, 'data'),
    settings: {
      fsync: 'off',
      ssl: 'on',
      ssl_cert_file: join(folder, 'server.crt'),
      ssl_key_file: join(folder, 'server.key'),
      hba_file: join(folder, 'pg_hba.conf'),
    },
  });
  await open({}).query(`create role tls_only login password 'secret'`);
});
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});
afterAll(async () => {
  await server.remove();
});

function userId(name: string): number | undefined {
  try {
    return Number(execFileSync('id', ['-u', name]).toString());
  } catch {
    return undefined;
  }
}

function open(
  parameters: Readonly<Record<string, string>>,
  change: (url: URL) => void = () => undefined,
): Database {
  const url = new URL(server.url);
  for (const [name, value] of Object.entries(parameters))
    url.searchParams.set(name, /cert$|key$/.test(name) && value !== 'system' ? join(folder, value) : value);
  change(url);
  const database = openDatabase({ url: url.href });
  closing.push(() => database.close());
  return database;
}

const isEncrypted = async (database: Database) =>
  (await database.query<{ ssl: boolean }>('select ssl from pg_stat_ssl where pid = pg_backend_pid()'))[0]
    ?.ssl;

const asTlsOnly = (url: URL) => {
  url.username = 'tls_only';
  url.password = 'secret';
};

describe('a connection with TLS', () => {
  test.each([
    [{}, false],
    [{ sslmode: 'disable' }, false],
    [{ sslmode: 'allow' }, false],
    [{ sslmode: 'prefer' }, true],
    [{ sslmode: 'require' }, true],
    [{ sslmode: 'no-verify' }, true],
    [{ sslmode: 'require', sslrootcert: 'ca.crt' }, true],
    [{ sslmode: 'verify-ca', sslrootcert: 'ca.crt' }, true],
    [{ sslmode: 'require', channel_binding: 'require' }, true],
    [{ sslmode: 'require', sslnegotiation: 'direct' }, true],
  ])('with %j behaves as in libpq (encrypted: %s)', async (parameters, encrypted) => {
    expect(await isEncrypted(open(parameters))).toBe(encrypted);
  });

  test.each([
    ['tls_untrusted', { sslmode: 'verify-full' }],
    ['tls_untrusted', { sslmode: 'verify-ca', sslrootcert: 'other-ca.crt' }],
    ['tls_untrusted', { sslmode: 'require', sslrootcert: 'other-ca.crt' }],
    ['tls_untrusted', { sslrootcert: 'system' }],
    ['tls_host_name', { sslmode: 'verify-full', sslrootcert: 'ca.crt' }],
    ['tls_file', { sslmode: 'verify-full', sslrootcert: 'missing.crt' }],
    ['tls_file', { sslmode: 'verify-full', sslrootcert: 'empty.crt' }],
    ['tls_file', { sslmode: 'require', sslcert: 'missing.crt' }],
    ['url_unreadable', { sslmode: 'bogus' }],
    ['url_unreadable', { sslmode: 'verify-ca' }],
    ['url_unreadable', { sslmode: 'disable', channel_binding: 'require' }],
  ])('fails as %s with %j', async (kind, parameters) => {
    await expect(open(parameters).query('select 1')).rejects.toMatchObject({ kind });
    await expect(open(parameters).withClient((client) => client.query('select 1'))).rejects.toMatchObject({
      kind,
    });
  });

  test('required by the server is reported as such without it, and sslmode=allow uses it', async () => {
    await expect(open({}, asTlsOnly).query('select 1')).rejects.toMatchObject({ kind: 'tls_required' });
    expect(await isEncrypted(open({ sslmode: 'allow' }, asTlsOnly))).toBe(true);
  });
});

describe('channel_binding=require', () => {
  test('is rejected before authentication if the server does not offer it', async () => {
    await open({})
      .query(`set password_encryption = 'md5'`)
      .catch(() => undefined);
    await open({}).transaction(async (query) => {
      await query(`set local password_encryption = 'md5'`);
      await query(`create role md5_user login password 'secret'`);
    });
    const database = open({ sslmode: 'require', channel_binding: 'require' }, (url) => {
      url.username = 'md5_user';
      url.password = 'secret';
    });
    const error: unknown = await database.query('select 1').catch((reason: unknown) => reason);
    // With "scram-sha-256" in pg_hba.conf, the server also offers SCRAM to a role with an MD5 password, and then refuses it.
    expect(error).toMatchObject({ kind: expect.stringMatching(/^(tls_channel_binding|password_refused)$/) });
  });
});

describe('several hosts', () => {
  const withHosts = (hosts: string, parameters = '') =>
    server.url.replace(/@[^/]+/, `@${hosts}`) + (parameters === '' ? '' : `?${parameters}`);
  const openUrl = (url: string) => {
    const database = openDatabase({ url });
    closing.push(() => database.close());
    return database;
  };

  test('are tried in order until one answers', async () => {
    const database = openUrl(withHosts(`127.0.0.1:1,127.0.0.1:${server.port}`));
    expect(await database.query('select 1 as one')).toEqual([{ one: 1 }]);
  });

  test('are all listed if none answers', async () => {
    await expect(openUrl(withHosts('127.0.0.1:1,127.0.0.1:2')).query('select 1')).rejects.toMatchObject({
      kind: 'connection_refused',
      what: expect.stringMatching(/127\.0\.0\.1:1: .*127\.0\.0\.1:2: /),
    });
  });

  test('fail as wrong_server if none matches target_session_attrs', async () => {
    const url = withHosts(`127.0.0.1:${server.port}`, 'target_session_attrs=standby');
    await expect(openUrl(url).query('select 1')).rejects.toMatchObject({ kind: 'wrong_server' });
    const primary = withHosts(`127.0.0.1:${server.port}`, 'target_session_attrs=primary');
    expect(await openUrl(primary).query('select 1 as one')).toEqual([{ one: 1 }]);
  });
});

test('after a server is demoted and promoted again, the first statement uses it', async () => {
  const admin = open({ sslmode: 'require' });
  const database = open({});
  await admin.query('create table written (n int)');
  await database.query('insert into written values (1)');
  await admin.query('alter database goldmane_edges set default_transaction_read_only = on');
  await admin.query(
    'select pg_terminate_backend(pid, 5000) from pg_stat_activity where pid <> pg_backend_pid() and datname = current_database()',
  );
  for (let n = 0; n < 3; n += 1)
    await expect(database.query('insert into written values (2)')).rejects.toMatchObject({
      kind: 'read_only',
    });
  await admin.transaction(async (query) => {
    await query('set transaction read write');
    await query('alter database goldmane_edges reset default_transaction_read_only');
  });
  await database.query('insert into written values (3)');
  expect(await database.query('select n from written order by n')).toEqual([{ n: 1 }, { n: 3 }]);
});
