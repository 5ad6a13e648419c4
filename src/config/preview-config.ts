import { z } from 'zod';
import { allowlistEnvironment } from './allowlist-config.ts';
import { clusterEnvironment } from './cluster-config.ts';
import { configFailure } from './config-failure.ts';
import { databaseProblems, loadDatabaseConfig, type DatabaseConfig } from './database-config.ts';
import { issueProblems } from './issue-problems.ts';
import { jobCrossProblems, jobEnvironment, toJobConfig, type JobConfig } from './job-config.ts';

/**
 * Reads the database and job settings, for commands that preview a job's report.
 * @throws ConfigFailure
 */
export function loadPreviewConfig(env: NodeJS.ProcessEnv): {
  database: DatabaseConfig;
  jobs: JobConfig;
  dnsAddresses: readonly string[];
  clusterName: string;
} {
  const parsed = z
    .object({ ...jobEnvironment, ...allowlistEnvironment, ...clusterEnvironment })
    .safeParse(env);
  const problems = [
    ...(parsed.success ? [] : issueProblems(parsed.error)),
    ...databaseProblems(env),
    ...jobCrossProblems(env),
  ];
  if (!parsed.success || problems.length > 0) throw configFailure(problems);
  return {
    database: loadDatabaseConfig(env),
    jobs: toJobConfig(parsed.data),
    dnsAddresses: parsed.data.DNS_ADDRESSES,
    clusterName: parsed.data.CLUSTER_NAME,
  };
}
