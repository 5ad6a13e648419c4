import type { Deps } from '../ingest/deps.ts';
import type { JobMetrics } from './metrics.ts';

/** The dependencies of all activities of the trail: those of the readers, and what only the jobs use. */
export interface JobDeps extends Deps {
  jobMetrics: JobMetrics;
}
