import type { Logger } from 'pino';
import type { Config } from '../config/config.ts';
import type { GoldmaneConnection } from '../goldmane/connection.ts';
import type { ClusterApi } from '../goldmane/operator-secret.ts';
import type { ServerClock } from '../goldmane/server-clock.ts';
import type { Database } from '../trail/database.ts';
import type { TrailMetrics } from './metrics.ts';
import type { Progress } from './summary.ts';

/** What the activities work with; made once by the worker's composition root, or by a test. */
export interface Deps {
  config: Config;
  database: Database;
  log: Logger;
  metrics: TrailMetrics;
  /** Shared by both readers of this process. */
  serverClock: ServerClock;
  /** Reads the certificates anew and dials. Throws GoldmaneFailure. */
  connectGoldmane(signal: AbortSignal): Promise<GoldmaneConnection>;
  /** Where the API of the cluster is; undefined outside of one. */
  clusterApi?: ClusterApi | undefined;
  /** Tells the supervisor; never fails. */
  report(workflowId: string, progress: Progress): Promise<void>;
}
