import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { issueCertificates, type IssuedCertificates } from '../../dev/certificates.ts';
import { startPostgres, type Postgres } from '../../dev/postgres/server.ts';
import { startSlack, type SlackStandIn } from '../../dev/slack/stand-in.ts';
import { startTemporalServer, type TemporalServer } from '../../dev/temporal/server.ts';
import { flowTrail, type CliResult } from '../support/cli.ts';
import { openSession, untilStreaming } from '../support/faults.ts';
import { pgbouncerPath, startPgBouncer, type PgBouncer } from '../support/pgbouncer.ts';
import { TcpProxy } from '../support/proxy.ts';
import { PostgresProxy } from '../support/proxy-postgres.ts';
import { mountSmallDisk, type SmallDisk } from '../support/small-disk.ts';
import { TemporalTls } from '../support/temporal-tls.ts';
import { parsedJson, type WorkerProcess } from '../support/worker-process.ts';
import { serverTls, World } from '../support/world.ts';

/**
 * Slower than in other tests: limits in real time, such as the 35 s after which a silent connection to the database is
 * closed, must stay far below the hour that Goldmane keeps.
 */
const speed = 15;
const role = 'trail';
const diskMiB = 512;
/** A logged error, as pino writes it. */
const errorSchema = z.object({ err: z.object({ message: z.string() }) });

interface Servers {
  scratch: string;
  /** The file system with the database, or the reason why it cannot be mounted. */
  disk: SmallDisk | string;
  postgres: Postgres;
  temporal: TemporalServer;
  world: World;
  pooler: PgBouncer | undefined;
  goldmane: TcpProxy;
  database: PostgresProxy;
  tls: TemporalTls;
}

/**
 * A complete installation: PgBouncer in front of PostgreSQL, TLS and an API key in front of Temporal, and every secret
 * in a file that is replaced when the secret is rotated.
 */
export class Installation {
  readonly servers: Servers;
  /** The certificates that the worker has and Goldmane accepts. */
  certificates: IssuedCertificates;
  slack: SlackStandIn;
  /** The number of malformed records sent. */
  malformedRecords = 0;
  /** Whether a worker logged the full disk. */
  fullDiskLogged = false;
  /** Every secret used so far, by description; for a PEM key, its first long line. */
  readonly secrets = new Map<string, string>();
  /** Additional settings of every worker and command. */
  settings: NodeJS.ProcessEnv = {};
  /** How each worker ended that exited by itself and was started again, as Kubernetes does. */
  readonly unexpectedExits: string[] = [];
  readonly #random: () => number;

  private constructor(servers: Servers, slack: SlackStandIn, random: () => number) {
    this.servers = servers;
    this.certificates = servers.world.certificates;
    this.slack = slack;
    this.#random = random;
  }

  static async create(temporalExecutable: string, random: () => number): Promise<Installation> {
    const scratch = await mkdtemp(join(tmpdir(), 'flow-trail-soak-'));
    // If root starts PostgreSQL, it runs as another user, who must be able to enter the folder.
    await chmod(scratch, 0o711);
    const disk = await mountSmallDisk(join(scratch, 'disk'), diskMiB);
    const postgres = await startPostgres({
      dataDir: join(scratch, 'disk', 'postgres'),
      settings: { max_wal_size: '64MB', min_wal_size: '32MB' },
    });
    const temporal = await startTemporalServer({
      executable: temporalExecutable,
      dataFile: join(scratch, 'temporal.db'),
      ui: false,
    });
    const world = await World.create({ speed, postgresUrl: postgres.url, temporalAddress: temporal.address });
    const pooler =
      pgbouncerPath === undefined ? undefined : await startPgBouncer(postgres.url, 'transaction');
    const servers: Servers = {
      scratch,
      disk,
      postgres,
      temporal,
      world,
      pooler,
      goldmane: await TcpProxy.listen(world.goldmane.address),
      database: await PostgresProxy.listen((pooler?.url('') ?? new URL(world.db.url)).href),
      tls: await TemporalTls.create(join(world.scratch, 'temporal-tls'), temporal.address),
    };
    const installation = new Installation(servers, await startSlack({ port: 0 }), random);
    installation.keepKey("client's key for Goldmane", world.certificates.client.key);
    await servers.tls.write('ca.crt', servers.tls.serverAuthority.certificate);
    await installation.issueTemporalClient();
    await installation.rotateApiKey();
    await (
      await installation.revokeWebhook()
    )();
    const password = installation.newSecret('database password');
    await installation.admin(`create role ${role} login password '${password}'`);
    await installation.admin(`grant create, usage on schema public to ${role}`);
    await pooler?.setPassword(role, password);
    await installation.writeDatabaseUrl(password);
    return installation;
  }

  get world(): World {
    return this.servers.world;
  }

  /** Settings of a worker or a command. */
  get env(): NodeJS.ProcessEnv {
    return {
      ...this.world.workerEnv(),
      ...this.servers.tls.env,
      GOLDMANE_HOST: this.servers.goldmane.address,
      DATABASE_URL: undefined,
      DATABASE_URL_FILE: this.path('database-url'),
      TEMPORAL_API_KEY_FILE: this.path('api-key'),
      SLACK_WEBHOOK_URL_FILE: this.path('slack-webhook'),
      ...this.settings,
    };
  }

  /** Starts traffic and a worker, and waits until it follows the stream. */
  async begin(): Promise<void> {
    this.world.traffic.start(this.world.goldmane);
    await untilStreaming(await this.startWorker(), this.world);
  }

  startWorker(env: NodeJS.ProcessEnv = {}): Promise<WorkerProcess> {
    return this.world.startWorker({ ...this.env, ...env });
  }

  /** The newest running worker. */
  current(): WorkerProcess | undefined {
    return this.world.workers.findLast(({ process }) => !process.hasExited());
  }

  /** Starts a worker if none is running. */
  async keepWorker(): Promise<void> {
    if (this.current()) return;
    const last = this.world.workers.at(-1);
    if (last) this.unexpectedExits.push(await howItEnded(last));
    await this.startWorker();
  }

  random(): number {
    return this.#random();
  }

  /** Waits 20 s, and a random time up to `maxExtraSeconds` more, on the world's clock. */
  pass(maxExtraSeconds: number): Promise<void> {
    return this.world.pass(20 + this.#random() * maxExtraSeconds);
  }

  /** Runs a command of the built `flow-trail`. */
  command(...args: readonly string[]): Promise<CliResult> {
    return flowTrail(args, this.env);
  }

  /** Replaces a file as a mounted secret is replaced. */
  async write(name: string, content: string): Promise<void> {
    const draft = this.path(`${name}.new`);
    await writeFile(draft, `${content}\n`, { mode: 0o600 });
    await rename(draft, this.path(name));
  }

  /** Changes the password of the worker's role and ends its sessions. @returns delivers it to pooler and worker */
  async rotateDatabasePassword(): Promise<() => Promise<void>> {
    const password = this.newSecret('database password');
    await this.admin(`alter role ${role} password '${password}'`);
    await this.admin(`select pg_terminate_backend(pid) from pg_stat_activity where usename = '${role}'`);
    return async () => {
      await this.servers.pooler?.setPassword(role, password);
      await this.writeDatabaseUrl(password);
    };
  }

  /** Makes Temporal accept only a new key, and closes every connection. @returns delivers it to the worker */
  revokeApiKey(): () => Promise<void> {
    const key = this.newSecret('API key');
    this.servers.tls.proxy.apiKeys = new Set([key]);
    this.servers.tls.proxy.drop();
    return () => this.write('api-key', key);
  }

  async rotateApiKey(): Promise<void> {
    await this.revokeApiKey()();
  }

  /** Switches Goldmane to these certificates. @returns delivers them to the worker */
  switchGoldmane(next: IssuedCertificates, clientAuthority = next.authority): () => Promise<void> {
    const { goldmane } = this.world;
    goldmane.useCertificates({ ...serverTls(next), ca: clientAuthority.certificate });
    goldmane.faults.cutConnections();
    return async () => {
      this.certificates = next;
      await this.world.mountCertificates(next);
    };
  }

  /** Revokes the webhook and creates another one. @returns delivers it to the worker */
  async revokeWebhook(): Promise<() => Promise<void>> {
    this.slack.answerAll({ status: 404, body: 'no_service' });
    const former = this.slack;
    const webhookPath = `/services/T0/B0/${this.newSecret('Slack webhook')}`;
    this.slack = await startSlack({ port: 0, webhookPath });
    return async () => {
      await this.write('slack-webhook', this.slack.webhookUrl);
      await former.stop();
    };
  }

  async newCertificates(): Promise<IssuedCertificates> {
    const issued = await issueCertificates();
    this.keepKey("client's key for Goldmane", issued.client.key);
    return issued;
  }

  /** Replaces the worker's client certificate for Temporal. */
  async issueTemporalClient(): Promise<void> {
    const { tls } = this.servers;
    const pair = await tls.issueClient();
    this.keepKey("client's key for Temporal", pair.key);
    await tls.writeClient(pair);
  }

  /** Creates a unique text and records it as a secret. */
  newSecret(what: string): string {
    const secret = `canary${randomBytes(16).toString('hex')}`;
    this.#keep(what, secret);
    return secret;
  }

  keepKey(what: string, pem: string): void {
    const line = pem.split('\n').find((each) => each.length > 40 && !each.startsWith('-----'));
    if (line === undefined) throw new Error(`${what} has no line to look for`);
    this.#keep(what, line);
  }

  /** Runs SQL as the database's administrator, without pooler and proxy. */
  async admin(sql: string): Promise<void> {
    const session = await openSession(this.world.db.url);
    try {
      await session.query(sql);
    } finally {
      await session.end();
    }
  }

  async close(): Promise<void> {
    const { scratch, disk, postgres, temporal, world, pooler, goldmane, database, tls } = this.servers;
    const steps = [
      () => world.close(),
      () => this.slack.stop(),
      () => tls.proxy.close(),
      () => goldmane.close(),
      () => database.close(),
      () => pooler?.stop(),
      () => temporal.stop(),
      () => postgres.remove(),
      () => (typeof disk === 'string' ? undefined : disk.remove()),
      () => rm(scratch, { recursive: true, force: true }),
    ];
    const failures: unknown[] = [];
    for (const step of steps)
      try {
        await step();
      } catch (error) {
        failures.push(error);
      }
    if (failures.length > 0) throw new AggregateError(failures, 'the installation did not stop cleanly');
  }

  async writeDatabaseUrl(password: string): Promise<void> {
    const url = new URL(this.servers.database.url);
    url.pathname = new URL(this.world.db.url).pathname;
    url.username = role;
    url.password = password;
    await this.write('database-url', url.href);
  }

  /** The path of a file with this name. */
  path(name: string): string {
    return join(this.world.scratch, name);
  }

  #keep(what: string, secret: string): void {
    this.secrets.set(`${what} ${this.secrets.size + 1}`, secret);
  }
}

/** Exit code or signal, and the last error that the worker logged, or else its last line. */
async function howItEnded({ process: { exited }, lines }: WorkerProcess): Promise<string> {
  const { code, signal } = await exited;
  const errors = lines.flatMap((line) => {
    const error = errorSchema.safeParse(parsedJson(line)).data?.err;
    return error ? [error.message] : [];
  });
  return `${signal ?? `exit code ${code}`}, ${errors.at(-1) ?? lines.at(-1) ?? 'no output'}`;
}
