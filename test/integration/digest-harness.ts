import { randomUUID } from 'node:crypto';
import { Client, Connection, WorkflowFailedError } from '@temporalio/client';
import { optionalTsToMs } from '@temporalio/common/lib/time.js';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger, NativeConnection, Worker } from '@temporalio/worker';
import { inject } from 'vitest';
import { createActivities } from '../../src/activities/index.ts';
import type { JobDeps } from '../../src/activities/deps.ts';
import type { DigestResult } from '../../src/activities/digest.ts';
import { startSlack, type SlackStandIn } from '../../dev/slack/stand-in.ts';
import { jobs } from '../../src/config/temporal-names.ts';
import { quietRuntime } from '../replay/supervisor-harness.ts';
import { createMigratedDatabase, type TestDatabase } from '../support/database.ts';
import { testDeps } from './deps.ts';

/** 08:00 in winter. */
export const morning = Date.parse('2026-11-23T08:00:00Z');
export const hourMs = 3_600_000;
export const dayMs = 24 * hourMs;

export interface EdgeSpec {
  src?: string;
  dst: string;
  action?: string;
  firstSeenMs?: number;
}

/** The digest job with its own worker, task queue, database and Slack stand-in, at a time set by the test. */
export class DigestHarness {
  readonly db: TestDatabase;
  readonly slack: SlackStandIn;
  readonly client: Client;
  readonly taskQueue = `digest-${randomUUID()}`;
  /** The current time of the trail's clock. */
  nowMs = morning;
  /** Print messages instead of posting them. */
  isDry = false;
  readonly #native: NativeConnection;
  #worker: Worker | undefined;
  #running: Promise<void> | undefined;

  private constructor(parts: {
    db: TestDatabase;
    slack: SlackStandIn;
    client: Client;
    native: NativeConnection;
  }) {
    this.db = parts.db;
    this.slack = parts.slack;
    this.client = parts.client;
    this.#native = parts.native;
  }

  /** @param takenOver edges of a table that existed before the trail */
  static async start(
    workflowBundle: { code: string },
    takenOver: readonly EdgeSpec[] = [],
  ): Promise<DigestHarness> {
    quietRuntime();
    const address = inject('temporalAddress');
    const db = await createMigratedDatabase();
    const connection = await Connection.connect({ address });
    const harness = new DigestHarness({
      db,
      slack: await startSlack({ port: 0 }),
      client: new Client({ connection, identity: 'test' }),
      native: await NativeConnection.connect({ address }),
    });
    await harness.addEdges(...takenOver);
    harness.#worker = await Worker.create({
      connection: harness.#native,
      taskQueue: harness.taskQueue,
      identity: 'test',
      workflowBundle,
      activities: createActivities(harness.deps()),
      shutdownGraceTime: 0,
    });
    harness.#running = harness.#worker.run();
    return harness;
  }

  /** Dependencies of the worker's activities. */
  deps(): JobDeps {
    const clock = {
      now: () => this.nowMs,
      elapsed: () => this.nowMs,
      sleep: () => Promise.resolve(),
      realMs: (ms: number) => ms,
    };
    const deps = testDeps(this.db.database, clock);
    const isDry = () => this.isDry;
    const slack = {
      webhook: { url: this.slack.webhookUrl },
      channel: '#alerts',
      get dryRun() {
        return isDry();
      },
    };
    return { ...deps, config: { ...deps.config, jobs: { ...deps.config.jobs, slack } } };
  }

  async addEdges(...edges: EdgeSpec[]): Promise<void> {
    for (const { src = 'shop', dst, action = 'allow', firstSeenMs = this.nowMs - hourMs } of edges)
      await this.db.database.query(
        `insert into edge (src_ns, dst_ns, action, first_seen, last_seen, flow_count)
         values ($1, $2, $3, to_timestamp($4), to_timestamp($4), 1)`,
        [src, dst, action, firstSeenMs / 1000],
      );
  }

  /** Starts a run without a schedule. */
  async begin(): Promise<string> {
    const workflowId = `digest-${randomUUID()}`;
    await this.client.workflow.start(jobs.digest.workflowType, {
      workflowId,
      taskQueue: this.taskQueue,
      args: [],
    });
    return workflowId;
  }

  async run(): Promise<DigestResult> {
    return this.resultOf(await this.begin());
  }

  async resultOf(workflowId: string): Promise<DigestResult> {
    const result: DigestResult = await this.client.workflow.getHandle(workflowId).result();
    return result;
  }

  /** Type and message of a run's failure. */
  async failureOf(workflowId: string): Promise<{ type: string | undefined; message: string }> {
    try {
      await this.resultOf(workflowId);
    } catch (error) {
      if (!(error instanceof WorkflowFailedError)) throw error;
      const { cause } = error;
      const type = cause && 'type' in cause ? String(cause.type) : undefined;
      return { type, message: cause?.message ?? '' };
    }
    throw new Error('the run did not fail');
  }

  /** Milliseconds that a run waits before it retries a failure of this type; undefined if it is not waiting. */
  async retryOf(workflowId: string, failure: RegExp): Promise<number | undefined> {
    const { raw } = await this.client.workflow.getHandle(workflowId).describe();
    const pending = raw.pendingActivities?.find(({ lastFailure }) =>
      failure.test(lastFailure?.message ?? ''),
    );
    return pending && optionalTsToMs(pending.currentRetryInterval);
  }

  /** Runs `work` in the context of an activity, without Temporal. */
  async inActivity<Result>(work: () => Promise<Result>): Promise<Result> {
    const result: Result = await new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') }).run(
      work,
    );
    return result;
  }

  /** Destinations that identify the announced edges, message by message. */
  get announced(): string[][] {
    return this.slack.messages.map(({ blocks }) =>
      [...JSON.stringify(blocks).matchAll(/→ `([^`]+)`/g)].map(([, dst]) => dst ?? ''),
    );
  }

  /** The digest ids shown in the messages. */
  get shownIds(): string[] {
    return this.slack.messages.map(({ blocks }) => {
      const last = blocks.at(-1);
      return last?.type === 'context' ? (last.elements.at(-1)?.text ?? '') : '';
    });
  }

  /** Announced edges: destination and digest, `null` for edges that existed before the first digest. */
  async announcements(): Promise<Record<string, string | null>> {
    const rows = await this.db.database.query<{ dst_ns: string; digest_id: string | null }>(
      'select dst_ns, digest_id from announced_edge order by dst_ns',
    );
    return Object.fromEntries(rows.map(({ dst_ns, digest_id }) => [dst_ns, digest_id]));
  }

  async close(): Promise<void> {
    this.#worker?.shutdown();
    await this.#running;
    await this.client.connection.close();
    await this.#native.close();
    await this.slack.stop();
    await this.db.drop();
  }
}
