import type { Activities } from '../../src/activities/index.ts';
import { jobs, type JobName } from '../../src/config/temporal-names.ts';

/** A scheduled job or the on-demand job. */
type Runnable = JobName | 'allowlist';

/** A run of a job with fake activities. */
export interface JobScenario {
  /** Name of the file under histories/jobs/. */
  name: string;
  job: Runnable;
  args?: readonly unknown[];
  /** The fake activities. */
  activities: Partial<Activities>;
}

export function workflowTypeOf(job: Runnable): string {
  return job === 'allowlist' ? 'deriveAllowlist' : jobs[job].workflowType;
}
