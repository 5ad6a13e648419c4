import { createServer } from 'node:http';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import packageJson from '../../package.json' with { type: 'json' };
import { workerFlags } from '../support/worker-flags.ts';
import { withChangedCopy, type Change } from './broken-copy.ts';
import { lastOf, readDockerfile, stageNamed } from './dockerfile.ts';
import { hadolint, projectFolder, run, validate, validated } from './tools.ts';

const stages = await readDockerfile();
const worker = stageNamed(stages, 'worker');

describe('the Dockerfile', () => {
  test('satisfies hadolint', async () => {
    expect(await hadolint(join(projectFolder, 'Dockerfile'))).toMatchObject({ code: 0, stdout: '' });
  });

  test.each<Omit<Change, 'file'> & { problem: RegExp }>([
    { from: 'node:20.20.2-bookworm-slim AS base', to: 'node AS base', problem: /DL3006/ },
    { from: 'node:20.20.2-bookworm-slim AS base', to: 'node:latest AS base', problem: /DL3007/ },
    { from: 'WORKDIR /app', to: 'WORKDIR app', problem: /DL3000/ },
    { from: 'CMD ["aggregate"]', to: 'CMD aggregate', problem: /DL3025/ },
    { from: 'FROM base AS production', to: 'FROM base AS build', problem: /DL3024/ },
    { from: 'RUN npm run build', to: 'RUN sudo npm run build', problem: /DL3004/ },
  ])('would not satisfy hadolint with "$to"', async ({ problem, ...change }) => {
    const outcome = await broken(change, (copy) => hadolint(join(copy, 'Dockerfile')));
    expect(outcome.code).not.toBe(0);
    expect(outcome.stdout).toMatch(problem);
  });

  test.each<Omit<Change, 'file'> & { problem: RegExp }>([
    { from: 'COPY migrations', to: 'KOPY migrations', problem: /KOPY/ },
    { from: '--from=build', to: '--form=build', problem: /form/ },
    { from: 'FROM base AS production', to: 'FROM base as production', problem: /FromAsCasing/ },
    { from: 'FROM build AS stand-in', to: 'FROM build AS Stand-in', problem: /StageNameCasing/ },
  ])('would be refused by BuildKit with "$to"', async ({ problem, ...change }) => {
    const outcome = await broken(change, (copy) => validate('dockerfile', join(copy, 'Dockerfile')));
    expect(outcome.code).toBe(1);
    expect(outcome.stderr).toMatch(problem);
  });

  test('pins its base image to one exact release, the same everywhere', () => {
    const names = new Set(stages.map(({ name }) => name));
    const bases = new Set(stages.map(({ base }) => base).filter((base) => !names.has(base)));
    expect(bases.size).toBe(1);
    for (const base of bases) expect(base).toMatch(/^node:20\.\d+\.\d+-bookworm-slim$/);
  });

  test('builds the worker unless told otherwise, and offers the stand-in', () => {
    expect(stages.at(-1)).toBe(worker);
    expect(stages.map(({ name }) => name)).toContain('stand-in');
  });

  test.each(['worker', 'stand-in'])('ends the stage %s as a numeric user that is not root', (name) => {
    expect(lastOf(stageNamed(stages, name), 'UserCommand').command.User).toMatch(/^[1-9]\d+:[1-9]\d+$/);
  });

  test('gives Node what `npm run worker` gives it', () => {
    expect(packageJson.scripts.worker).toBe(`node ${workerFlags.join(' ')} dist/worker/main.js`);
  });

  test('starts the worker with the arguments that today’s container takes', () => {
    expect(lastOf(worker, 'EntrypointCommand').command).toMatchObject({
      CmdLine: ['node', ...workerFlags, '/app/dist/cli/main.js'],
      PrependShell: false,
    });
    expect(lastOf(worker, 'CmdCommand').command).toMatchObject({
      CmdLine: ['aggregate'],
      PrependShell: false,
    });
  });

  test('sends no history, dependencies, secrets or data to the builder', async () => {
    const context = await validated('context', projectFolder, z.array(z.string()));
    const outside = context.filter(
      (path) =>
        !/^((src|proto|migrations)\/|deploy\/compose\/stand-in\.ts$)/.test(path) &&
        !/^(package(-lock)?\.json|tsconfig(\.build)?\.json|LICENSE)$/.test(path),
    );
    expect(outside).toEqual([]);
    expect(context).toContain('package.json');
  });
});

describe('the health check', () => {
  test.each([
    { status: 200, code: 0 },
    { status: 503, code: 1 },
  ])('ends with $code when the worker answers $status', async ({ status, code }) => {
    const asked: (string | undefined)[] = [];
    const server = createServer((request, response) => {
      asked.push(request.url);
      response.writeHead(status).end();
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = z.object({ port: z.number() }).parse(server.address());
    try {
      expect(await healthCheck(address.port)).toBe(code);
      expect(asked).toEqual(['/healthz']);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });

  test('ends with 1 when nobody answers', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = z.object({ port: z.number() }).parse(server.address());
    server.close();
    await once(server, 'close');
    expect(await healthCheck(port)).toBe(1);
  });
});

async function healthCheck(port: number): Promise<number> {
  const [form, program, ...args] = lastOf(worker, 'HealthCheckCommand').command.Health.Test;
  expect(form).toBe('CMD');
  const { code } = await run(program ?? '', args, { env: { ...process.env, HTTP_PORT: String(port) } });
  return code;
}

function broken<Result>(
  change: Omit<Change, 'file'>,
  use: (copy: string) => Promise<Result>,
): Promise<Result> {
  return withChangedCopy(projectFolder, { file: 'Dockerfile', ...change }, use, ['Dockerfile']);
}
