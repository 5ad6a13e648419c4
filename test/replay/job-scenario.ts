import type { Activities } from '../../src/activities/index.ts';
import type { JobName } from '../../src/names.ts';

/** A run of a job over activities that answer as the scenario says. */
export interface JobScenario {
  /** Name of the file under histories/jobs/. */
  name: string;
  job: JobName;
  /** What the job's activities do. */
  activities: Partial<Activities>;
}
