import type { Logger } from 'pino';
import type { Config } from '../config/config.ts';
import type { GoldmaneConnection } from '../goldmane/connection.ts';
import type { ClusterApi } from '../goldmane/operator-secret.ts';
import type { ServerClock } from '../goldmane/server-clock.ts';
import type { Database } from '../trail/database.ts';
import type { TrailMetrics } from './metrics.ts';
import type { Progress } from './summary.ts';

/** Tells a service outside how settling goes. Neither function waits or throws. */
export interface Heartbeat {
  /** A round of settling succeeded. */
  succeeded(): void;
  /** @param kind of the failure, for example `goldmane_timeout`; it leaves the cluster */
  failed(kind: string): void;
}

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
  heartbeat: Heartbeat;
  /** Where the API of the cluster is; undefined outside of one. */
  clusterApi?: ClusterApi | undefined;
  /** Tells the supervisor; never fails. */
  report(workflowId: string, progress: Progress): Promise<void>;
}
