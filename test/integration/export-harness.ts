import { noopMetricMeter } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { loadConfig } from '../../src/config/config.ts';
import type { ExportDeps } from '../../src/flow-logs/deps.ts';
import { exportFlows } from '../../src/flow-logs/export-flows.ts';
import { createExportMetrics } from '../../src/flow-logs/metrics.ts';
import type { ExportSummary } from '../../src/flow-logs/summary.ts';
import { readExportGaps, type ExportGap } from '../../src/trail/export/export-gaps.ts';
import { startLogReceiver, type LogReceiver } from '../support/log-receiver.ts';
import { Settling } from './coverage-settling-harness.ts';
import type { Flows } from './coverage-fake-goldmane.ts';
import { testDeps } from './deps.ts';

const minuteMs = 60_000;

/** The first bucket with flows. */
export const exportStart = 1_750_000_005 - (1_750_000_005 % 15);

/** Three records per bucket; one is unique to the bucket. */
export function threeFlows(startSeconds: number): Flows {
  if (startSeconds < exportStart) return [];
  return [
    { src: { namespace: 'shop', name: 'web-*' }, dst: { namespace: 'db', name: 'postgres-*' }, port: 5_432 },
    { src: { namespace: 'shop' }, dst: { namespace: 'dns' }, port: 53, protocol: 'udp' },
    { src: { namespace: 'once', name: `job-${startSeconds}` }, dst: { namespace: 'db' }, action: 2 },
  ];
}

/** The bucket of the unique record with this source name. */
export function uniqueBucketOf(sourceName: unknown): number {
  return Number(String(sourceName).replace('job-', ''));
}

/** Runs settleBuckets and exportFlows alternately, with a real database, a fake Goldmane and a receiver in this process. */
export class Exporting {
  readonly settling: Settling;
  readonly receiver: LogReceiver;
  env: NodeJS.ProcessEnv = {};

  private constructor(settling: Settling, receiver: LogReceiver) {
    this.settling = settling;
    this.receiver = receiver;
  }

  static async create(startSeconds: number, flowsOf: (startSeconds: number) => Flows): Promise<Exporting> {
    return new Exporting(await Settling.create(startSeconds, flowsOf), await startLogReceiver());
  }

  get nowSeconds(): number {
    return this.settling.clock.now() / 1_000;
  }

  /** Runs one window of the export; `during` may interrupt it. */
  async export(
    minutes = 1,
    { during = () => {} }: { during?: (environment: MockActivityEnvironment) => void } = {},
  ): Promise<ExportSummary> {
    const { settling, receiver } = this;
    const { clock } = settling;
    const config = loadConfig({
      DATABASE_URL: 'postgres://nobody@nowhere/nothing',
      OTLP_LOGS_ENDPOINT: receiver.url,
      ...this.env,
    });
    if (!config.export) throw new Error('no endpoint');
    const deps: ExportDeps = {
      ...testDeps(settling.db.database, clock),
      config: { ...config, clock },
      connectGoldmane: async (signal) => {
        await clock.sleep(10, signal);
        return settling.goldmane.connect();
      },
      settings: config.export,
      metrics: createExportMetrics(noopMetricMeter),
      trailId: 'trail',
    };
    const environment = new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') });
    during(environment);
    return environment.run((input: { windowMs: number }) => exportFlows(deps, input), {
      windowMs: minutes * minuteMs,
    });
  }

  /** Settles and exports alternately for this many minutes. */
  async both(minutes: number): Promise<void> {
    for (let done = 0; done < minutes; done += 5) {
      await this.settling.run(4);
      await this.export(1);
    }
  }

  /** Buckets whose three records have all arrived. */
  completeBuckets(): number[] {
    const ids = new Map<string, Set<string>>();
    for (const { id, attributes } of this.receiver.accepted) {
      const bucket = String(attributes['calico.bucket.start']);
      ids.set(bucket, (ids.get(bucket) ?? new Set()).add(id));
    }
    return [...ids]
      .filter(([, ofBucket]) => ofBucket.size === 3)
      .map(([bucket]) => Date.parse(bucket) / 1_000)
      .toSorted((a, b) => a - b);
  }

  async settledBuckets(): Promise<number[]> {
    const rows = await this.settling.db.database.query<{ start: number }>(
      `select extract(epoch from bucket)::float8 as start from bucket_ledger
       where settled_at is not null and settled <> '' order by 1`,
    );
    return rows.map((row) => row.start);
  }

  gaps(): Promise<ExportGap[]> {
    return readExportGaps(this.settling.db.database.query, 0, 100);
  }

  async close(): Promise<void> {
    await this.receiver.close();
    await this.settling.db.drop();
  }
}
