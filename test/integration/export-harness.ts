import { noopMetricMeter } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { loadConfig } from '../../src/config/config.ts';
import type { ExportDeps } from '../../src/flow-logs/deps.ts';
import { exportFlows } from '../../src/flow-logs/export-flows.ts';
import { createExportMetrics } from '../../src/flow-logs/metrics.ts';
import type { ExportSummary } from '../../src/flow-logs/summary.ts';
import { readExportGaps, type ExportGap } from '../../src/trail/export-gaps.ts';
import { startLogReceiver, type LogReceiver } from '../support/log-receiver.ts';
import { Settling } from './coverage-settling-harness.ts';
import type { Flows } from './coverage-fake-goldmane.ts';
import { testDeps } from './deps.ts';

const minuteMs = 60_000;

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

  gaps(): Promise<ExportGap[]> {
    return readExportGaps(this.settling.db.database.query, 0, 100);
  }

  async close(): Promise<void> {
    await this.receiver.close();
    await this.settling.db.drop();
  }
}
