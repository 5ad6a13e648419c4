import { createServer } from 'node:http';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import packageJson from '../../package.json' with { type: 'json' };
import { imageEnvironment, workerFlags } from '../support/worker-flags.ts';
import { lastOf, readDockerfile, stageNamed } from './dockerfile.ts';
import { hadolint, projectFolder, run, validated } from './tools.ts';
import { freePort, listen } from '../../dev/ports.ts';

const stages = await readDockerfile();
const worker = stageNamed(stages, 'worker');

describe('the Dockerfile', () => {
  test('satisfies hadolint', async () => {
    expect(await hadolint(join(projectFolder, 'Dockerfile'))).toMatchObject({ code: 0, stdout: '' });
  });

  test('pins one base image for all stages, to an exact release and digest', () => {
    const names = new Set(stages.map(({ name }) => name));
    const bases = new Set(stages.map(({ base }) => base).filter((base) => !names.has(base)));
    expect(bases.size).toBe(1);
    for (const base of bases) expect(base).toMatch(/^node:24\.\d+\.\d+-bookworm-slim@sha256:[0-9a-f]{64}$/);
  });

  test('builds the worker by default, and has a stage for the stand-in', () => {
    expect(stages.at(-1)).toBe(worker);
    expect(stages.map(({ name }) => name)).toContain('stand-in');
  });

  test.each(['worker', 'stand-in'])('runs the stage %s as a numeric user other than root', (name) => {
    expect(lastOf(stageNamed(stages, name), 'UserCommand').command.User).toMatch(/^[1-9]\d+:[1-9]\d+$/);
  });

  test('starts Node with the flags of `npm run worker`', () => {
    expect(packageJson.scripts.worker).toBe(`node ${workerFlags.join(' ')} dist/worker/main.js`);
  });

  test('sets the environment of the processes that the benchmarks measure', () => {
    expect(lastOf(worker, 'EnvCommand').command.Env).toMatchObject(
      Object.entries(imageEnvironment).map(([Key, Value]) => ({ Key, Value })),
    );
  });

  test('starts the aggregator by default', () => {
    expect(lastOf(worker, 'EntrypointCommand').command).toMatchObject({
      CmdLine: ['node', ...workerFlags, '/app/dist/cli/main.js'],
      PrependShell: false,
    });
    expect(lastOf(worker, 'CmdCommand').command).toMatchObject({
      CmdLine: ['aggregate'],
      PrependShell: false,
    });
  });

  test('has a build context without Git history, dependencies, secrets or data', async () => {
    const context = await validated('context', projectFolder, z.array(z.string()));
    const outside = context.filter(
      (path) =>
        !/^((src|dev|proto|migrations)\/|deploy\/compose\/stand-in\.ts$)/.test(path) &&
        !/^(package(-lock)?\.json|tsconfig\.json|LICENSE)$/.test(path),
    );
    expect(outside).toEqual([]);
    expect(context).toContain('package.json');
  });
});

describe('the health check', () => {
  test.each([
    { status: 200, code: 0 },
    { status: 503, code: 1 },
  ])('exits with $code when the worker answers $status', async ({ status, code }) => {
    const requested: (string | undefined)[] = [];
    const server = createServer((request, response) => {
      requested.push(request.url);
      response.writeHead(status).end();
    });
    const port = await listen(server);
    try {
      expect(await healthCheck(port)).toBe(code);
      expect(requested).toEqual(['/healthz']);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });

  test('exits with 1 when nothing answers', async () => {
    expect(await healthCheck(await freePort())).toBe(1);
  });
});

async function healthCheck(port: number): Promise<number> {
  const [form, program, ...args] = lastOf(worker, 'HealthCheckCommand').command.Health.Test;
  expect(form).toBe('CMD');
  const { code } = await run(program ?? '', args, { env: { ...process.env, HTTP_PORT: String(port) } });
  return code;
}
