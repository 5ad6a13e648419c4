import type { Activities } from '../../src/activities/index.ts';
import { jobs, type JobName } from '../../src/config/names.ts';

/** What is run by a schedule, or on demand. */
export type Runnable = JobName | 'allowlist';

/** A run of a job over activities that answer as the scenario says. */
export interface JobScenario {
  /** Name of the file under histories/jobs/. */
  name: string;
  job: Runnable;
  args?: readonly unknown[];
  /** What the job's activities do. */
  activities: Partial<Activities>;
}

export function workflowTypeOf(job: Runnable): string {
  return job === 'allowlist' ? 'deriveAllowlist' : jobs[job].workflowType;
}
