import type { Logger } from 'pino';
import type { Config } from '../config/config.ts';
import type { GoldmaneConnection } from '../goldmane/connection.ts';
import type { ClusterApi } from '../goldmane/cluster-api.ts';
import type { ServerClock } from '../goldmane/server-clock.ts';
import type { Database } from '../trail/database/database.ts';
import type { ReaderMetrics } from './metrics.ts';
import type { Progress } from './summary.ts';

/** Reports the result of settling rounds to an external service. Neither function waits or throws. */
export interface Heartbeat {
  /** A round of settling succeeded. */
  succeeded(): void;
  /** @param kind of the failure, for example `goldmane_timeout`; it is sent outside the cluster */
  failed(kind: string): void;
}

/** The supervisor's workflow execution. */
export interface SupervisorRun {
  workflowId: string;
  runId: string;
}

/** An attempt of an activity of a workflow execution, as the SDK describes it to the activity. */
export interface AttemptId {
  activityId: string;
  attempt: number;
  workflowExecution?: SupervisorRun | undefined;
}

/** The dependencies of the activities; created once by the worker's composition root, or by a test. */
export interface Deps {
  config: Config;
  database: Database;
  log: Logger;
  metrics: ReaderMetrics;
  /** Shared by both readers of this process. */
  serverClock: ServerClock;
  /** Reads the certificates again and connects. Throws GoldmaneFailure. */
  connectGoldmane(signal: AbortSignal): Promise<GoldmaneConnection>;
  heartbeat: Heartbeat;
  /** When the readers may start, by the clock's elapsed milliseconds, and why not before; undefined: at once. */
  readersStart?: { atMs: number; reason: string } | undefined;
  /** Address of the cluster's API; undefined outside a cluster. */
  clusterApi?: ClusterApi | undefined;
  /** Signal that aborts when this attempt is requested to end, before Temporal's response to its next heartbeat. */
  endingSignal?(attempt: AttemptId): AbortSignal | undefined;
  /**
   * Accepts a reader's report for the supervisor; never fails.
   * @returns whether the report is sent; most reports contain nothing new
   */
  report(supervisor: SupervisorRun, progress: Progress): boolean;
}
