import fc from 'fast-check';
import { databaseUrlProblem, parseDatabaseUrl } from '../../../src/config/database-url.ts';
import { describe, expect, test } from 'vitest';
import { formatClockScale } from '../../../src/time/clock.ts';
import { isConfigFailure } from '../../../src/config/config-failure.ts';
import { loadDatabaseConfig } from '../../../src/config/database-config.ts';
import { loadConfig } from '../../../src/config/config.ts';

const url = 'postgres://trail:secret@db.example:5432/goldmane_edges';

function problems(
  env: NodeJS.ProcessEnv,
  load: (env: NodeJS.ProcessEnv) => unknown = loadConfig,
): readonly string[] {
  try {
    load(env);
  } catch (error) {
    if (isConfigFailure(error)) return error.problems;
    throw error;
  }
  return [];
}

describe('a wrong setting', () => {
  test('is printed without control characters, and shortened if it is a whole file', () => {
    const [odd] = problems({ DATABASE_URL: url, TIME_ZONE: 'a\u001b[31m\u202e' });
    expect(odd).toMatch(/^TIME_ZONE/);
    expect(odd).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    const [long] = problems({ DATABASE_URL: url, TIME_ZONE: 'x'.repeat(10_000) });
    expect(long?.length).toBeLessThan(1_000);
    expect(long).toMatch(/Europe\/London/);
  });

  test('a task queue that Temporal would reject is reported', () => {
    expect(problems({ DATABASE_URL: url, TEMPORAL_TASK_QUEUE: 'x'.repeat(901) })).toHaveLength(1);
  });
});

describe('settings', () => {
  test('only the database is required; everything else has a default', () => {
    const config = loadConfig({ DATABASE_URL: url });
    expect(config).toMatchObject({
      goldmane: {
        host: 'goldmane.calico-system.svc.cluster.local:7443',
        insecure: false,
        certPath: '/etc/goldmane-client-tls/tls.crt',
        keyPath: '/etc/goldmane-client-tls/tls.key',
        caPath: '/etc/tigera-ca/tigera-ca-bundle.crt',
      },
      database: { url },
      identity: { label: 'service-identity', namespaces: new Set(['monitoring', 'kube-system', 'dbaas']) },
      dnsAddresses: [],
      portCap: 64,
      identityCap: 256,
      names: { taskQueue: 'flow-trail' },
      metricsPort: 9464,
      httpPort: 8080,
      logLevel: 'info',
      clockSpeed: 1,
    });
    expect(config.goldmane).not.toHaveProperty('serverName');
  });

  test('are read from their variables, without surrounding whitespace', () => {
    const config = loadConfig({
      GOLDMANE_HOST: ' [::1]:7443 ',
      GOLDMANE_SERVER_NAME: 'goldmane',
      GOLDMANE_TLS_INSECURE: '1',
      TLS_CERT_PATH: '/a',
      TLS_KEY_PATH: '/b',
      CA_CERT_PATH: '/c',
      DATABASE_URL_FILE: '/secret/url',
      SERVICE_IDENTITY_LABEL: 'example.com/identity',
      SERVICE_IDENTITY_NAMESPACES: ' monitoring , web,',
      PORT_CAP: '8',
      IDENTITY_CAP: '20',
      METRICS_PORT: '0',
      HTTP_PORT: '0',
      LOG_LEVEL: 'debug',
      TEMPORAL_TASK_QUEUE: 'trail',
    });
    expect(config).toMatchObject({
      goldmane: {
        host: '[::1]:7443',
        serverName: 'goldmane',
        insecure: true,
        certPath: '/a',
        keyPath: '/b',
        caPath: '/c',
      },
      database: { urlFile: '/secret/url' },
      identity: { label: 'example.com/identity', namespaces: new Set(['monitoring', 'web']) },
      portCap: 8,
      identityCap: 20,
      metricsPort: 0,
      httpPort: 0,
      logLevel: 'debug',
      names: { taskQueue: 'trail' },
    });
  });

  test.each([
    ['*', 'all'],
    ['monitoring,*', 'all'],
    ['', new Set()],
  ])('identities are read in the namespaces %j', (list, namespaces) => {
    expect(loadConfig({ DATABASE_URL: url, SERVICE_IDENTITY_NAMESPACES: list }).identity.namespaces).toEqual(
      namespaces,
    );
  });

  test('a test can pass its clock', () => {
    const scale = { realAnchorMs: Date.now(), anchorMs: 1_000_000_000_000, speed: 100 };
    const config = loadConfig({ DATABASE_URL: url, FLOW_TRAIL_CLOCK: formatClockScale(scale) });
    expect(config.clockSpeed).toBe(100);
    expect(config.clock.realMs(15_000)).toBe(150);
    expect(config.clock.now()).toBeGreaterThanOrEqual(1_000_000_000_000);
    expect(config.clock.now()).toBeLessThan(1_000_000_000_000 + 3_600_000);
  });
});

describe('wrong settings', () => {
  const wrong: NodeJS.ProcessEnv = {
    GOLDMANE_HOST: 'goldmane',
    GOLDMANE_TLS_INSECURE: 'perhaps',
    TLS_CERT_PATH: '',
    TLS_KEY_PATH: '  ',
    CA_CERT_PATH: '',
    SERVICE_IDENTITY_LABEL: 'not a label',
    SERVICE_IDENTITY_NAMESPACES: 'Monitoring',
    PORT_CAP: '0',
    TEMPORAL_TASK_QUEUE: '',
    METRICS_PORT: '70000',
    HTTP_PORT: 'http',
    LISTEN_HOST: '',
    LOG_LEVEL: 'loud',
    FLOW_TRAIL_CLOCK: 'fast',
  };

  test('are all reported together, each with its name', () => {
    const found = problems(wrong);
    const names = found.map((problem) => problem.split(' ')[0]);
    expect(names).toHaveLength(Object.keys(wrong).length + 1);
    expect(new Set(names)).toEqual(new Set([...Object.keys(wrong), 'DATABASE_URL']));
  });

  test.each([
    ['METRICS_PORT', ''],
    ['METRICS_PORT', '0x10'],
    ['METRICS_PORT', '1e3'],
    ['METRICS_PORT', '-1'],
    ['METRICS_PORT', '80.5'],
    ['HTTP_PORT', ' '],
    ['PORT_CAP', ''],
    ['PORT_CAP', '65537'],
    ['IDENTITY_CAP', '0'],
    ['GOLDMANE_HOST', 'goldmane:0'],
    ['GOLDMANE_HOST', 'goldmane:65536'],
    ['GOLDMANE_HOST', 'https://goldmane:7443'],
    ['GOLDMANE_HOST', '::1:7443'],
    ['GOLDMANE_HOST', 'goldmane/flows:7443'],
    ['GOLDMANE_SERVER_NAME', 'goldmane:7443'],
    ['GOLDMANE_SERVER_NAME', 'two names'],
    ['LISTEN_HOST', '[::]'],
    ['LISTEN_HOST', '0.0.0.0:8080'],
    ['MAP_HOST', 'http://localhost'],
  ])('%s=%j is not reinterpreted', (name, value) => {
    expect(problems({ DATABASE_URL: url, [name]: value }).map((problem) => problem.split(' ')[0])).toEqual([
      name,
    ]);
  });

  test.each(['*', '::', '0.0.0.0', 'fe80::1%eth0', 'localhost'])('%s is an address to listen on', (value) => {
    expect(problems({ DATABASE_URL: url, LISTEN_HOST: value, MAP_HOST: value })).toEqual([]);
  });

  test('two equal ports are reported', () => {
    expect(problems({ DATABASE_URL: url, METRICS_PORT: '8080' })).toHaveLength(1);
    expect(problems({ DATABASE_URL: url, METRICS_PORT: '9000', HTTP_PORT: '9000' })).toHaveLength(1);
    expect(problems({ DATABASE_URL: url, METRICS_PORT: '0', HTTP_PORT: '0' })).toEqual([]);
  });

  test.each([
    {},
    { DATABASE_URL: '' },
    { DATABASE_URL: url, DATABASE_URL_FILE: '/secret/url' },
    { DATABASE_URL: 'mysql://a@b/c' },
    { DATABASE_URL: 'postgres://trail@db.example' },
    { DATABASE_URL: 'postgres://trail:%e9@db.example/edges' },
  ])('of the database are reported alike by every command: %j', (env) => {
    expect(problems(env)).toHaveLength(1);
    expect(problems(env)).toEqual(problems(env, loadDatabaseConfig));
  });

  test('a password that pg accepts is not rejected', () => {
    for (const password of ['100%', 'a%zz', '%C3%A9', 'ü', 'a:b', ''])
      expect(databaseUrlProblem(`postgres://trail:${password}@db.example/edges`)).toBeUndefined();
  });
});

test('the host of an accepted URL is the one after the password, regardless of the password’s encoding', () => {
  fc.assert(
    fc.property(
      fc.string({
        unit: fc.constantFrom('a', 'Z', '1', '/', '@', '#', '?', ':', '%', '[', ']', '\\', ' ', '&'),
      }),
      (password) => {
        const value = `postgres://trail:${password}@db.example/edges`;
        if (databaseUrlProblem(value) === undefined)
          expect(parseDatabaseUrl(value).hosts).toEqual([{ host: 'db.example', port: 5432 }]);
      },
    ),
  );
});

describe('no message shows a password', () => {
  const password = fc
    .stringMatching(/^[A-Za-z0-9!$%&/()=?#@:;,.\\ -]{6,30}$/)
    .filter((text) => /[A-Z]{3}/.test(text));

  test.each([
    'postgres://trail:SECRET@db.example/edges',
    'postgres//trail:SECRET@db',
    'SECRET',
    'pg://x:SECRET@h/d',
    'postgres://trail:SECRET@db.example',
  ])('in %j', (template) => {
    fc.assert(
      fc.property(password, (secret) => {
        const value = template.replace('SECRET', () => secret);
        const said = [
          ...problems({ DATABASE_URL: value, DATABASE_URL_FILE: '/x', GOLDMANE_HOST: 'wrong' }),
          ...problems({ DATABASE_URL: value }),
          databaseUrlProblem(value) ?? '',
        ].join('\n');
        expect(said).not.toContain(secret);
      }),
    );
  });
});
