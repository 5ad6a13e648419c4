import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock, type Clock } from '../../src/time/clock.ts';
import {
  createAuthority,
  issueCertificates,
  writeCertificates,
  type CertificateAuthority,
  type IssuedCertificates,
  type IssueRequest,
} from '../../dev/certificates.ts';
import type { CollectorTarget } from '../../dev/goldmane/collector-client.ts';
import { startGoldmane, type GoldmaneStandIn, type GoldmaneVersion } from '../../dev/goldmane/stand-in.ts';
import { freePort } from '../../dev/ports.ts';
import { LoopClock } from '../support/loop-clock.ts';
import { serverName, subject } from './environment.ts';
import { accepts, until } from './waiting.ts';

/** A Goldmane under test. */
export interface Server {
  readonly version: GoldmaneVersion;
  /** The clock that the server uses. */
  readonly clock: Clock;
  readonly bucketSeconds: number;
  readonly target: CollectorTarget;
  /** `kill` and `start` reject unless the tests started the server. */
  kill(): Promise<void>;
  /** Starts a new run at the same address; resolves when it accepts connections. */
  start(): Promise<void>;
  /** Whether the server has exited. */
  ended(): boolean;
  /** Issues a client certificate of the server's CA; absent if the tests did not start the server. */
  issueClient?(request: Partial<IssueRequest>): Promise<CollectorTarget['tls']>;
  close(): Promise<void>;
}

export interface ServerOptions {
  version: GoldmaneVersion;
  /** Length of a bucket in real seconds, for CONFORMANCE_START_COMMAND. Default 2. */
  bucketSeconds?: number;
  /** Whether to wait until the first buckets, which are sent early, are over. */
  afterFirstBuckets?: boolean;
  /** How many times faster than real time the stand-in's clock runs. Default 20. */
  speed?: number;
}

/** Opens the server that the environment variables select. */
export async function openServer(options: ServerOptions): Promise<Server> {
  switch (subject.kind) {
    case 'stand-in':
      return openStandIn(options);
    case 'command':
      return openCommand(options, subject.command);
    case 'running': {
      const [cert, key, ca] = await Promise.all(
        [subject.certPath, subject.keyPath, subject.caPath].map((path) => readFile(path, 'utf8')),
      );
      const tls = { ca: ca ?? '', cert: cert ?? '', key: key ?? '' };
      return {
        version: options.version,
        clock: systemClock,
        bucketSeconds: subject.bucketSeconds,
        target: { address: subject.address, tls, serverName },
        kill: () => Promise.reject(new Error('the tests did not start this server')),
        start: () => Promise.reject(new Error('the tests did not start this server')),
        ended: () => false,
        close: () => Promise.resolve(),
      };
    }
  }
}

async function openStandIn({
  version,
  speed = 20,
  afterFirstBuckets = false,
}: ServerOptions): Promise<Server> {
  const clock = new LoopClock(speed);
  const certificates = await issueCertificates();
  const tls = {
    ca: certificates.authority.certificate,
    cert: certificates.server.certificate,
    key: certificates.server.key,
  };
  const port = await freePort();
  let run: GoldmaneStandIn | undefined;
  let alive = false;
  const start = async (): Promise<void> => {
    run = await startGoldmane({ clock, tls, version, port, startAtOnce: afterFirstBuckets });
    alive = true;
    void run.ended.then(() => {
      alive = false;
    });
  };
  await start();
  return {
    version,
    clock,
    bucketSeconds: 15,
    target: { address: `127.0.0.1:${port}`, tls: clientPems(certificates), serverName: 'goldmane' },
    start,
    kill: async () => run?.kill(),
    ended: () => !alive,
    issueClient: clientsOf(certificates.authority),
    close: async () => {
      await run?.kill();
      clock.stop();
    },
  };
}

async function openCommand(options: ServerOptions, command: string): Promise<Server> {
  const { version, bucketSeconds = 2, afterFirstBuckets = false } = options;
  const authority = await createAuthority();
  const certificates = await issueCertificates({ authority });
  const directory = await mkdtemp(join(tmpdir(), 'goldmane-conformance-'));
  const files = await writeCertificates(directory, {
    pair: certificates.server,
    bundle: authority.certificate,
  });
  const port = await freePort();
  const address = `127.0.0.1:${port}`;
  let child: ChildProcess | undefined;
  const start = async (): Promise<void> => {
    const [program = '', ...args] = command.split(' ');
    child = spawn(program, args, {
      stdio: 'ignore',
      env: {
        ...process.env,
        PORT: String(port),
        SERVER_CERT_PATH: files.certPath,
        SERVER_KEY_PATH: files.keyPath,
        CA_CERT_PATH: files.caPath,
        AGGREGATION_WINDOW: `${bucketSeconds}s`,
        GOLDMANE_VERSION: version,
        HEALTH_ENABLED: 'false',
        LOG_LEVEL: 'error',
      },
    });
    await until('the server to accept connections', () => accepts(port), 60_000);
  };
  const ended = (): boolean => child === undefined || child.exitCode !== null || child.signalCode !== null;
  const kill = async (): Promise<void> => {
    if (!child || ended()) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  };
  await start();
  if (afterFirstBuckets) await systemClock.sleep(3 * bucketSeconds * 1000);
  return {
    version,
    clock: systemClock,
    bucketSeconds,
    target: { address, tls: clientPems(certificates), serverName: 'goldmane' },
    start,
    kill,
    ended,
    issueClient: clientsOf(authority),
    close: async () => {
      await kill();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

function clientPems({ authority, client }: IssuedCertificates): CollectorTarget['tls'] {
  return { ca: authority.certificate, cert: client.certificate, key: client.key };
}

function clientsOf(authority: CertificateAuthority): NonNullable<Server['issueClient']> {
  return async (request) => {
    const client = await authority.issue({ usage: 'client', commonName: 'someone', ...request });
    return { ca: authority.certificate, cert: client.certificate, key: client.key };
  };
}
