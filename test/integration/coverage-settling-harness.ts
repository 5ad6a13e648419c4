import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { createActivities } from '../../src/activities/index.ts';
import type { ServerClock } from '../../src/goldmane/server-clock.ts';
import type { Progress, SettleSummary } from '../../src/ingest/summary.ts';
import { readCoverage, type CoverageStretch } from '../../src/trail/coverage-ranges/coverage.ts';
import { ProgressNews } from '../../src/worker/progress-news.ts';
import { createMigratedDatabase, type TestDatabase } from '../support/database.ts';
import { FakeGoldmane, VirtualClock, type Flows } from './coverage-fake-goldmane.ts';
import { testDeps } from './deps.ts';

const minuteMs = 60_000;

/** Runs the activity settleBuckets with a real database, a fake Goldmane and a virtual clock. */
export class Settling {
  readonly db: TestDatabase;
  readonly clock: VirtualClock;
  readonly goldmane: FakeGoldmane;
  /** What the activity reported to the supervisor. */
  readonly reported: Progress[] = [];
  readonly beats: unknown[] = [];
  /** The result of each round: `succeeded`, or the kind of the failure. */
  readonly heartbeats: string[] = [];
  readonly #news = new ProgressNews();
  /** The worker process's measurement of Goldmane's clock; by default, each window has one. */
  serverClock: ServerClock | undefined;

  private constructor(db: TestDatabase, clock: VirtualClock, goldmane: FakeGoldmane) {
    this.db = db;
    this.clock = clock;
    this.goldmane = goldmane;
  }

  static async create(startSeconds: number, flowsOf: (startSeconds: number) => Flows): Promise<Settling> {
    const db = await createMigratedDatabase();
    const clock = new VirtualClock(startSeconds);
    return new Settling(db, clock, new FakeGoldmane(clock, flowsOf));
  }

  /** Runs one window with a new worker; `during` may interrupt it. */
  async window(
    minutes = 15,
    {
      attempt = 1,
      during = () => {},
    }: { attempt?: number; during?: (environment: MockActivityEnvironment) => void } = {},
  ): Promise<SettleSummary> {
    const environment = new MockActivityEnvironment({ attempt }, { logger: new DefaultLogger('ERROR') });
    environment.on('heartbeat', (details: unknown) => this.beats.push(details));
    const { settleBuckets } = createActivities({
      ...testDeps(this.db.database, this.clock),
      ...(this.serverClock ? { serverClock: this.serverClock } : {}),
      connectGoldmane: async (signal) => {
        await this.clock.sleep(10, signal);
        return this.goldmane.connect();
      },
      heartbeat: {
        succeeded: () => void this.heartbeats.push('succeeded'),
        failed: (kind) => void this.heartbeats.push(kind),
      },
      report: ({ runId }, progress) => {
        const isNews = this.#news.take(runId, progress, this.clock.elapsed());
        if (isNews) this.reported.push(progress);
        return isNews;
      },
    });
    during(environment);
    return environment.run(settleBuckets, { windowMs: minutes * minuteMs });
  }

  /** Runs windows for this many minutes; a failed window is retried. */
  async run(minutes: number): Promise<SettleSummary[]> {
    const untilMs = this.clock.now() + minutes * minuteMs;
    const summaries: SettleSummary[] = [];
    let attempt = 1;
    while (this.clock.now() < untilMs - 1_000) {
      try {
        summaries.push(await this.window(Math.min(15, (untilMs - this.clock.now()) / minuteMs), { attempt }));
        attempt = 1;
      } catch (error) {
        if (!(error instanceof Error) || error.name !== 'ApplicationFailure') throw error;
        attempt += 1;
        await this.clock.sleep(15_000);
      }
    }
    return summaries;
  }

  coverage(fromSeconds: number, toSeconds: number): Promise<CoverageStretch[]> {
    return readCoverage(this.db.database.query, fromSeconds, toSeconds);
  }

  async gaps(fromSeconds = 0, toSeconds = this.clock.now() / 1000): Promise<CoverageStretch[]> {
    return (await this.coverage(fromSeconds, toSeconds)).filter(({ state }) => state === 'gap');
  }
}
