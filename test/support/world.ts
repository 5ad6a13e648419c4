import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import type { PayloadCodec } from '@temporalio/common';
import { msToTs } from '@temporalio/common/lib/time.js';
import { expect, inject, onTestFailed, onTestFinished } from 'vitest';
import { formatClockScale } from '../../src/time/clock.ts';
import { issueCertificates, writeCertificates, type IssuedCertificates } from '../../dev/certificates.ts';
import {
  startGoldmane,
  type Flow,
  type GoldmaneOptions,
  type GoldmaneStandIn,
} from '../../dev/goldmane/stand-in.ts';
import { supervisorWorkflowId } from '../../src/config/temporal-names.ts';
import { readCoverage, type CoverageStretch } from '../../src/trail/coverage-ranges/coverage.ts';
import { createTestDatabase, readEdges, readUnexplainedEdges, type TestDatabase } from './database.ts';
import { until } from './poll.ts';
import { Traffic, type TrafficOptions } from './traffic.ts';
import { expectVerified } from './verify.ts';
import { VariableClock } from './variable-clock.ts';
import { startWorkerProcess, type WorkerProcess } from './worker-process.ts';

interface WorldOptions {
  /** Speed relative to real time. All durations are scaled alike. */
  speed?: number;
  /** How far the world's clock starts behind the system's. Default 0. It is faster, so it soon overtakes the system's. */
  beginAgoSeconds?: number;
  traffic?: Omit<TrafficOptions, 'clock'>;
  goldmane?: Partial<GoldmaneOptions>;
  certificates?: IssuedCertificates;
  /** Separate servers, for tests that stop them. */
  postgresUrl?: string;
  temporalAddress?: string;
}

/**
 * A World for the running test, closed after it. Create servers that it uses before it, because cleanups run in reverse
 * order.
 */
export async function createWorld(options?: WorldOptions): Promise<World> {
  const world = await World.create(options);
  onTestFinished(() => world.close());
  return world;
}

/** A cluster on one machine and one clock: stand-in, traffic, database, Temporal namespace, workers as processes. */
export class World {
  readonly clock: VariableClock;
  readonly traffic: Traffic;
  readonly db: TestDatabase;
  readonly certificates: IssuedCertificates;
  readonly scratch: string;
  readonly namespace: string;
  readonly temporalAddress: string;
  readonly workers: WorkerProcess[] = [];
  /** Codecs of the test's own client. */
  payloadCodecs: PayloadCodec[] = [];
  goldmane: GoldmaneStandIn;
  readonly #goldmaneOptions: GoldmaneOptions;
  readonly #files: { certPath: string; keyPath: string; caPath: string };

  private constructor(parts: {
    clock: VariableClock;
    traffic: Traffic;
    db: TestDatabase;
    certificates: IssuedCertificates;
    scratch: string;
    namespace: string;
    temporalAddress: string;
    goldmane: GoldmaneStandIn;
    goldmaneOptions: GoldmaneOptions;
    files: { certPath: string; keyPath: string; caPath: string };
  }) {
    this.clock = parts.clock;
    this.traffic = parts.traffic;
    this.db = parts.db;
    this.certificates = parts.certificates;
    this.scratch = parts.scratch;
    this.namespace = parts.namespace;
    this.temporalAddress = parts.temporalAddress;
    this.goldmane = parts.goldmane;
    this.#goldmaneOptions = parts.goldmaneOptions;
    this.#files = parts.files;
  }

  static async create({
    speed = 40,
    beginAgoSeconds = 0,
    traffic = {},
    goldmane = {},
    certificates,
    postgresUrl,
    temporalAddress = inject('temporalAddress'),
  }: WorldOptions = {}): Promise<World> {
    const realAnchorMs = Date.now();
    const clock = new VariableClock(speed, beginAgoSeconds * 1000);
    const scratch = await mkdtemp(join(tmpdir(), 'flow-trail-world-'));
    const issued = certificates ?? (await issueCertificates());
    const files = await writeCertificates(join(scratch, 'tls'), {
      pair: issued.client,
      bundle: issued.authority.certificate,
    });
    const goldmaneOptions: GoldmaneOptions = {
      clock,
      tls: serverTls(issued),
      startAtOnce: true,
      ...goldmane,
    };
    const started = await startGoldmane(goldmaneOptions);
    const db = await createTestDatabase(postgresUrl);
    const namespace = `test-${process.pid}-${realAnchorMs}`;
    await createNamespace(namespace, temporalAddress);
    return new World({
      clock,
      traffic: new Traffic({ clock, ...traffic }),
      db,
      certificates: issued,
      scratch,
      namespace,
      temporalAddress,
      goldmane: started,
      goldmaneOptions,
      files,
    });
  }

  /** The environment of a worker of this world. */
  workerEnv(): NodeJS.ProcessEnv {
    return {
      FLOW_TRAIL_CLOCK: formatClockScale(this.clock.scale),
      GOLDMANE_HOST: this.goldmane.address,
      GOLDMANE_SERVER_NAME: 'goldmane.calico-system.svc',
      TLS_CERT_PATH: this.#files.certPath,
      TLS_KEY_PATH: this.#files.keyPath,
      CA_CERT_PATH: this.#files.caPath,
      DATABASE_URL: this.db.url,
      TEMPORAL_ADDRESS: this.temporalAddress,
      TEMPORAL_NAMESPACE: this.namespace,
    };
  }

  /** @param release the folder of another build of the worker */
  async startWorker(env: NodeJS.ProcessEnv = {}, release?: string): Promise<WorkerProcess> {
    const worker = await startWorkerProcess({ ...this.workerEnv(), ...env }, release);
    this.workers.push(worker);
    onTestFailed(() => {
      process.stdout.write(`[worker ${worker.process.pid}] ${worker.lines.slice(-40).join('\n  ')}\n`);
    });
    return worker;
  }

  /** Restarts Goldmane on the same port with an empty ring. `nodesResend`: nodes send the last five minutes again. */
  async restartGoldmane({
    nodesResend = true,
    tls,
  }: { nodesResend?: boolean; tls?: GoldmaneOptions['tls'] } = {}): Promise<void> {
    const { port } = this.goldmane;
    this.traffic.retarget(undefined);
    await this.goldmane.kill();
    this.goldmane = await startGoldmane({ ...this.#goldmaneOptions, ...(tls ? { tls } : {}), port });
    this.traffic.retarget(this.goldmane);
    if (nodesResend) this.traffic.resend(this.nowSeconds());
  }

  nowSeconds(): number {
    return this.clock.now() / 1000;
  }

  /** Waits this many seconds of the world's clock. */
  async pass(seconds: number): Promise<void> {
    await this.clock.sleep(seconds * 1000);
  }

  /** Replaces the worker's certificate files, as a mounted secret is replaced. */
  async mountCertificates(issued: IssuedCertificates): Promise<void> {
    await writeCertificates(join(this.scratch, 'tls'), {
      pair: issued.client,
      bundle: issued.authority.certificate,
    });
  }

  async temporal<Result>(ask: (client: Client) => Promise<Result>): Promise<Result> {
    const connection = await Connection.connect({ address: this.temporalAddress });
    try {
      const { namespace, payloadCodecs } = this;
      return await ask(new Client({ connection, namespace, dataConverter: { payloadCodecs } }));
    } finally {
      await connection.close();
    }
  }

  supervisor<Result>(query: string): Promise<Result> {
    return this.temporal((client) => client.workflow.getHandle(supervisorWorkflowId).query<Result>(query));
  }

  coverage(): Promise<CoverageStretch[]> {
    return readCoverage(this.db.database.query, 0, this.nowSeconds());
  }

  /** Waits until no time before the end of the traffic is pending. */
  async untilSettled(untilSeconds = this.traffic.toSeconds, limitMs = 120_000): Promise<CoverageStretch[]> {
    return until(
      `everything before ${new Date(untilSeconds * 1000).toISOString()} is settled`,
      async () => {
        const coverage = await this.coverage();
        const open = coverage.find(
          ({ state, fromSeconds }) =>
            (state === 'pending' || state === 'streamed') && fromSeconds < untilSeconds,
        );
        // The cause of the failure if the limit passes.
        if (open)
          throw new Error(`still ${open.state} from ${new Date(open.fromSeconds * 1000).toISOString()}`);
        return (coverage.at(-1)?.toSeconds ?? 0) >= untilSeconds ? coverage : undefined;
      },
      limitMs,
    );
  }

  /**
   * Expects that edges equal the generated flows, and that facts explain every count, once everything is settled.
   */
  async expectExactly(keep?: (startSeconds: number, flow: Flow) => boolean): Promise<void> {
    const { database } = this.db;
    expect(await readEdges(database)).toEqual(this.traffic.expectedEdges(keep));
    expect(await readUnexplainedEdges(database)).toEqual([]);
  }

  async close(): Promise<void> {
    await this.traffic.stop().catch(() => undefined);
    for (const worker of this.workers) if (!worker.process.hasExited()) await worker.kill();
    await this.goldmane.kill().catch(() => undefined);
    try {
      await expectVerified(this.db.database);
    } finally {
      await this.db.drop();
      await rm(this.scratch, { recursive: true, force: true });
    }
  }
}

export function serverTls({ authority, server }: IssuedCertificates): GoldmaneOptions['tls'] {
  return { ca: authority.certificate, cert: server.certificate, key: server.key };
}

export async function createNamespace(namespace: string, address: string): Promise<void> {
  const connection = await Connection.connect({ address });
  try {
    await connection.workflowService.registerNamespace({
      namespace,
      workflowExecutionRetentionPeriod: msToTs('1 day'),
    });
    await until('the namespace exists', async () => {
      await connection.workflowService.describeNamespace({ namespace });
      return true;
    });
  } finally {
    await connection.close();
  }
}
