import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { formatClockScale, type ClockScale } from '../src/time/clock.ts';
import { issueCertificates, writeCertificates, type IssuedCertificates } from '../dev/certificates.ts';
import { startPostgres, type Postgres } from '../dev/postgres/server.ts';
import { withClient } from '../dev/postgres/with-client.ts';
import { findTemporal } from '../dev/temporal/find.ts';
import { startTemporalServer, type TemporalServer } from '../dev/temporal/server.ts';
import { openDatabase, type Database } from '../src/trail/database/database.ts';
import { migrate } from '../src/trail/database/migrate.ts';
import type { Flood } from './flood.ts';
import { Subprocess } from './subprocess.ts';
import { bucketOf, settleAgeSeconds, userRecords } from './traffic.ts';

export type Environment = Record<string, string>;

export interface BenchDatabase {
  url: string;
  database: Database;
}

const standInStats = z.object({
  recordsSent: z.number(),
  lists: z.number(),
  listMsTotal: z.number(),
  listMsMax: z.number(),
  droppedForReaders: z.number(),
  flowsIn: z.number(),
});

/** A Goldmane stand-in in a separate process, and the settings for a reader to connect to it. */
export class BenchGoldmane {
  readonly env: Environment;
  readonly #process: Subprocess;

  constructor(process: Subprocess, env: Environment) {
    this.#process = process;
    this.env = env;
  }

  /** Puts whole buckets of about `size` records into the ring. @returns the number of flows */
  fill(size: number, fromSeconds: number, toSeconds: number): Promise<number> {
    return this.#process.ask(z.number(), 'fill', { size, fromSeconds, toSeconds });
  }

  /** Starts the cluster's nodes, which send about `size` records per bucket. */
  async follow(size: number): Promise<void> {
    await this.#process.ask(z.unknown(), 'follow', { size });
  }

  /**
   * Fills the newest `ringSeconds` of the ring: due buckets with about `size` records, younger ones with the usual
   * number, which the nodes continue to send.
   * @returns the range of the due buckets, and the number of their records
   */
  async fillRing(
    size: number,
    ringSeconds: number,
  ): Promise<{ records: number; fromSeconds: number; toSeconds: number }> {
    const now = Date.now() / 1000;
    const [fromSeconds, toSeconds] = [bucketOf(now - ringSeconds) + 15, bucketOf(now - settleAgeSeconds)];
    const records = await this.fill(size, fromSeconds, toSeconds);
    await this.fill(userRecords, toSeconds, now);
    await this.follow(userRecords);
    return { records, fromSeconds, toSeconds };
  }

  burst(records: number): Promise<number> {
    return this.#process.ask(z.number(), 'burst', { records });
  }

  /**
   * Serves the history since `fromSeconds` (negative: before now), framed like a Go server.
   * @returns a reader's settings
   */
  async replay(fromSeconds: number): Promise<Environment> {
    const address = await this.#process.ask(z.string(), 'replay', { env: this.env, fromSeconds });
    return { ...this.env, GOLDMANE_HOST: address };
  }

  stats(): Promise<z.infer<typeof standInStats>> {
    return this.#process.ask(standInStats, 'stats');
  }

  stop(): Promise<void> {
    return this.#process.stop();
  }
}

/** The servers for the measurements. Each section starts the ones that it needs; `close` stops all. */
export class Lab {
  readonly postgres: Postgres;
  readonly compiled: (script: string) => string;
  readonly #scratch: string;
  readonly #certificates: IssuedCertificates;
  readonly #ending: (() => Promise<void>)[] = [];
  #databases = 0;

  private constructor(parts: {
    postgres: Postgres;
    compiled: (script: string) => string;
    scratch: string;
    certificates: IssuedCertificates;
  }) {
    this.postgres = parts.postgres;
    this.compiled = parts.compiled;
    this.#scratch = parts.scratch;
    this.#certificates = parts.certificates;
  }

  static async open(compiled: (script: string) => string): Promise<Lab> {
    const scratch = await mkdtemp(join(tmpdir(), 'flow-trail-bench-'));
    // Rows, WAL bytes and client CPU are measured, not the speed of disk flushes.
    const postgres = await startPostgres({ dataDir: join(scratch, 'postgres'), settings: { fsync: 'off' } });
    return new Lab({ postgres, compiled, scratch, certificates: await issueCertificates() });
  }

  async goldmane(scale?: ClockScale): Promise<BenchGoldmane> {
    const child = await this.process('goldmane-server.js', 'the stand-in');
    const address = await child.ask(z.string(), 'start', {
      tls: this.#serverTls(),
      ...(scale ? { scale } : {}),
    });
    const env = await this.#environmentOf(address);
    return new BenchGoldmane(child, {
      ...env,
      ...(scale ? { FLOW_TRAIL_CLOCK: formatClockScale(scale) } : {}),
    });
  }

  /** A Goldmane with the same flood in each bucket. */
  async floodedGoldmane(flood: Flood): Promise<BenchGoldmane> {
    const child = await this.process('scan-server.js', 'the flooded Goldmane');
    const address = await child.ask(z.string(), 'start', { tls: this.#serverTls(), flood });
    return new BenchGoldmane(child, await this.#environmentOf(address));
  }

  #serverTls(): { ca: string; cert: string; key: string } {
    const { authority, server } = this.#certificates;
    return { ca: authority.certificate, cert: server.certificate, key: server.key };
  }

  /** The settings with which a reader reaches the server at `address`. */
  async #environmentOf(address: string): Promise<Environment> {
    const { authority, client } = this.#certificates;
    const files = await writeCertificates(join(this.#scratch, 'tls'), {
      pair: client,
      bundle: authority.certificate,
    });
    return {
      GOLDMANE_HOST: address,
      GOLDMANE_SERVER_NAME: 'goldmane',
      TLS_CERT_PATH: files.certPath,
      TLS_KEY_PATH: files.keyPath,
      CA_CERT_PATH: files.caPath,
    };
  }

  /** A new database with the current schema. */
  async database(): Promise<BenchDatabase> {
    this.#databases += 1;
    const name = `bench_${this.#databases}`;
    await withClient(this.postgres.url, (client) => client.query(`create database ${name}`));
    const url = this.postgres.urlOf(name);
    const database = openDatabase({ url });
    this.#ending.push(() => database.close());
    await migrate(database);
    return { url, database };
  }

  async process(script: string, name: string): Promise<Subprocess> {
    const child = await Subprocess.start(this.compiled(script), name);
    this.#ending.push(() => child.stop());
    return child;
  }

  async temporal(): Promise<TemporalServer> {
    const executable = await findTemporal({ log: () => undefined, signal: new AbortController().signal });
    const server = await startTemporalServer({ executable, ui: false });
    this.#ending.push(() => server.stop());
    return server;
  }

  async close(): Promise<void> {
    for (const end of this.#ending.splice(0).toReversed()) await end().catch(() => undefined);
    await this.postgres.remove();
    await rm(this.#scratch, { recursive: true, force: true });
  }
}
