import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { projectFolder, run, validate, validated } from './tools.ts';
import { trailNames } from '../../src/config/temporal-names.ts';
import { readSettings, unknownSettings } from './worker-settings.ts';

const file = join(projectFolder, 'docker-compose.yaml');
const scripts = join(projectFolder, 'deploy', 'compose');
const serviceShape = z.looseObject({
  image: z.string(),
  restart: z.string().optional(),
  build: z.looseObject({ target: z.string() }).optional(),
  environment: z.record(z.string(), z.string()).optional(),
  ports: z.array(z.looseObject({ host_ip: z.string().optional(), published: z.string() })).optional(),
  volumes: z
    .array(z.looseObject({ type: z.string(), source: z.string().optional(), target: z.string() }))
    .optional(),
  healthcheck: z.looseObject({ test: z.array(z.string()) }).optional(),
  depends_on: z.record(z.string(), z.looseObject({ condition: z.string() })).optional(),
  stop_grace_period: z.string().optional(),
});
const projectShape = z.looseObject({
  services: z.record(z.string(), serviceShape),
  volumes: z.record(z.string(), z.looseObject({})),
});
const withStandIn = { ...cleanEnvironment(), COMPOSE_PROFILES: 'stand-in' };
const { services, volumes } = await validated('compose', file, projectShape, withStandIn);

describe('docker-compose.yaml', () => {
  test('is valid with and without the profile stand-in, which contains only the stand-in', async () => {
    const without = await validated('compose', file, projectShape, cleanEnvironment());
    expect(Object.keys(services).filter((name) => !(name in without.services))).toEqual(['goldmane']);
    expect(Object.keys(without.services)).toContain('worker');
  });

  test.each(Object.entries(services))(
    'pins the image of %s to a release and, if it is not ours, a digest',
    (_, { image }) => {
      expect(image).toMatch(
        /^(goldmane-flow-trail(-stand-in)?:\d+\.\d+\.\d+|[a-z0-9/-]+:\d+\.\d+(\.\d+)?@sha256:[0-9a-f]{64})$/,
      );
    },
  );

  test.each(Object.entries(services))('publishes the ports of %s on loopback only', (_, { ports }) => {
    for (const port of ports ?? []) expect(port.host_ip).toBe('127.0.0.1');
  });

  test.each(Object.entries(services))(
    'has a health check for %s, in the file or its image, or waits until it has completed',
    (name, service) => {
      const completes = Object.values(services).some(
        ({ depends_on }) => depends_on?.[name]?.condition === 'service_completed_successfully',
      );
      if (completes) expect(service.restart).toMatch(/^on-failure:\d+$/);
      else expect(service.healthcheck ?? service.build).toBeDefined();
    },
  );

  test('stores data in named volumes', () => {
    const used = Object.values(services).flatMap((service) => service.volumes ?? []);
    const named = used.filter(({ type }) => type === 'volume').map(({ source }) => source);
    expect(new Set(named)).toEqual(new Set(Object.keys(volumes)));
    expect(used).toContainEqual(expect.objectContaining({ source: 'postgres-data' }));
  });

  test('reads every password from the environment', async () => {
    const passwords = {
      POSTGRES_PASSWORD: 'one',
      TEMPORAL_DB_PASSWORD: 'two',
      FLOW_TRAIL_DB_PASSWORD: 'three',
      FLOW_TRAIL_OWNER_PASSWORD: 'four',
      FLOW_TRAIL_READER_PASSWORD: 'five',
    };
    const { code, stdout } = await validate('compose', file, { ...withStandIn, ...passwords });
    expect(code).toBe(0);
    const resolved = JSON.parse(stdout) as unknown;
    const { services: withPasswords } = projectShape.parse(resolved);
    expect(withPasswords['worker']?.environment?.['DATABASE_URL']).toBe(
      'postgres://flow_trail:three@postgres:5432/goldmane_edges',
    );
    expect(withPasswords['migrate']?.environment?.['DATABASE_URL']).toBe(
      'postgres://flow_trail_owner:four@postgres:5432/goldmane_edges',
    );
    expect(stdout).not.toContain('development-only');
  });

  test('gives the worker the name of the cluster', async () => {
    const named = await validated('compose', file, projectShape, { ...withStandIn, CLUSTER_NAME: 'north' });
    const { config } = readSettings(named.services['worker']?.environment ?? {});
    expect(config.names).toEqual(trailNames('north'));
  });

  test('sets only variables that the worker reads, to values that it accepts, and a grace period', () => {
    const environment = services['worker']?.environment ?? {};
    expect(unknownSettings(environment)).toEqual([]);
    const { config } = readSettings(environment);
    expect(config.goldmane.certPath).toBe('/certificates/tls.crt');
    expect(services['worker']?.stop_grace_period).toBe('45s');
  });

  test('migrates as the owner before the worker starts, and does not give the worker the owner’s password', () => {
    expect(services['worker']?.depends_on?.['migrate']).toMatchObject({
      condition: 'service_completed_successfully',
    });
    expect(JSON.stringify(services['worker'])).not.toContain('flow_trail_owner');
    expect(services['postgres']?.volumes).toContainEqual(
      expect.objectContaining({ source: join(projectFolder, 'deploy', 'postgres', 'create-roles.sh') }),
    );
  });

  test('mounts certificates of a real Goldmane from a folder', async () => {
    const environment = { ...cleanEnvironment(), GOLDMANE_CERTIFICATES: './deploy', GOLDMANE_HOST: 'g:7443' };
    const real = await validated('compose', file, projectShape, environment);
    expect(real.services['worker']?.volumes).toEqual([
      expect.objectContaining({ type: 'bind', target: '/certificates', read_only: true }),
    ]);
  });

  test('mounts scripts without syntax errors', async () => {
    const names = (await readdir(scripts)).filter((name) => name.endsWith('.sh'));
    expect(names.length).toBeGreaterThan(0);
    for (const name of names) {
      const shell = name === 'create-roles.sh' ? 'bash' : 'sh';
      expect(await run(shell, ['-n', join(scripts, name)])).toMatchObject({ code: 0, stderr: '' });
    }
  });
});

/** An environment without the user's own variables, which Compose would interpolate. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  return { PATH: process.env['PATH'], HOME: process.env['HOME'] };
}
