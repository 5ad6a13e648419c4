import { z } from 'zod';
import { configFailure } from './config-failure.ts';
import { issueProblems } from './issue-problems.ts';
import { isClusterName, trailNames, type TrailNames } from './temporal-names.ts';

/** The fields of the environment that name a cluster and its task queue. */
export const clusterEnvironment = {
  CLUSTER_NAME: z
    .string()
    .trim()
    .refine(
      (value) => value === '' || isClusterName(value),
      'must be at most 40 lower-case letters, digits and hyphens, for example homelab; correct or unset it',
    )
    .default(''),
  TEMPORAL_TASK_QUEUE: z
    .string()
    .trim()
    .min(1, 'is empty; set a value or unset it')
    // Temporal's server accepts 1,000 characters; names of further queues append to it.
    .max(900, 'is longer than 900 characters; set a shorter name')
    .optional(),
};

type ClusterEnvironment = z.output<z.ZodObject<typeof clusterEnvironment>>;

export function trailNamesOf({ CLUSTER_NAME, TEMPORAL_TASK_QUEUE }: ClusterEnvironment): TrailNames {
  const names = trailNames(CLUSTER_NAME);
  return TEMPORAL_TASK_QUEUE === undefined ? names : { ...names, taskQueue: TEMPORAL_TASK_QUEUE };
}

/** Reads only the names in Temporal, for commands that query the supervisor or start a job. @throws ConfigFailure */
export function loadTrailNames(env: NodeJS.ProcessEnv): TrailNames {
  const parsed = z.object(clusterEnvironment).safeParse(env);
  if (!parsed.success) throw configFailure(issueProblems(parsed.error));
  return trailNamesOf(parsed.data);
}
