import { hostname } from 'node:os';
import { z } from 'zod';
import { parseClockScale, type Clock } from '../time/clock.ts';
import { allowlistEnvironment } from './allowlist-config.ts';
import { clusterEnvironment, trailNamesOf } from './cluster-config.ts';
import { configFailure } from './config-failure.ts';
import { databaseProblems, loadDatabaseConfig, type DatabaseConfig } from './database-config.ts';
import {
  exportCrossProblems,
  exportEnvironment,
  toExportConfig,
  type ExportConfig,
} from './export-config.ts';
import { listenHost, port, wholeNumber } from './fields.ts';
import { goldmaneEnvironment, toGoldmaneConfig, type GoldmaneConfig } from './goldmane-config.ts';
import {
  identityEnvironment,
  identityProblems,
  loadIdentityConfig,
  type IdentityConfig,
} from './identity-config.ts';
import { issueProblems } from './issue-problems.ts';
import { jobCrossProblems, jobEnvironment, toJobConfig, type JobConfig } from './job-config.ts';
import { mapEnvironment, toMapConfig, type MapConfig } from './map-config.ts';
import type { TrailNames } from './temporal-names.ts';
import { secretUrlField, secretUrlOf, secretUrlProblems, type SecretUrl } from './secret-url.ts';
import { clockOf } from './trail-clock.ts';

export interface Config {
  goldmane: GoldmaneConfig;
  database: DatabaseConfig;
  identity: IdentityConfig;
  /** Addresses at which DNS is served, as CIDRs, for derived policies. */
  dnsAddresses: readonly string[];
  /** Distinct ports stored per group of facts; further ports are stored as "many". */
  portCap: number;
  /** Identities (service identities, network sets) stored per namespace within thirty days. */
  identityCap: number;
  /** The scheduled jobs and where they report. */
  jobs: JobConfig;
  /** CLUSTER_NAME; empty when it is not set. */
  clusterName: string;
  /** Names of the schedules, workflows and queue in Temporal. */
  names: TrailNames;
  metricsPort: number;
  httpPort: number;
  map: MapConfig;
  /** Called after each successful settling round; no calls if undefined. */
  heartbeat: SecretUrl | undefined;
  /** Where records are sent as flow logs; undefined: nowhere. */
  export: ExportConfig | undefined;
  /** Address on which /metrics, /healthz and /readyz listen; `*`: all. */
  listenHost: string;
  logLevel: string;
  workerIdentity: string;
  clock: Clock;
  /** How much faster than the system clock the trail's clock runs: 1, except in tests. */
  clockSpeed: number;
}

const environment = z.object({
  ...goldmaneEnvironment,
  DATABASE_URL: z.string().trim().optional(),
  DATABASE_URL_FILE: z.string().trim().optional(),
  ...identityEnvironment,
  ...allowlistEnvironment,
  PORT_CAP: wholeNumber(1, 65_536).default(64),
  ...clusterEnvironment,
  METRICS_PORT: port(9464),
  HTTP_PORT: port(8080),
  ...mapEnvironment,
  HEARTBEAT_URL: secretUrlField,
  HEARTBEAT_URL_FILE: secretUrlField,
  LISTEN_HOST: listenHost('*'),
  LOG_LEVEL: z
    .enum(
      ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'],
      'must be one of fatal, error, warn, info, debug, trace, silent',
    )
    .default('info'),
  ...jobEnvironment,
  ...exportEnvironment,
  FLOW_TRAIL_CLOCK: z
    .string()
    .optional()
    .refine(
      (value) => value === undefined || parseClockScale(value) !== undefined,
      'must be realAnchorMs,anchorMs,speed; it is only for tests, so unset it',
    ),
});

/** Checks across several settings; separate from the schema, which skips such checks if any field is invalid. */
function crossProblems(env: NodeJS.ProcessEnv): string[] {
  const problems = [...databaseProblems(env), ...identityProblems(env)];
  const ports = [env['METRICS_PORT'] ?? '9464', env['HTTP_PORT'] ?? '8080'].map(Number);
  if (ports[0] === ports[1] && ports[0] !== 0)
    problems.push('METRICS_PORT and HTTP_PORT are the same; each needs its own port');
  problems.push(
    ...jobCrossProblems(env),
    ...exportCrossProblems(env),
    ...secretUrlProblems(
      env,
      'HEARTBEAT_URL',
      'use the ping URL of the check, for example https://hc-ping.com/<id>',
    ),
  );
  return problems;
}

/**
 * Reads the settings from environment variables, all problems reported together.
 * Temporal's own connection settings are read by `@temporalio/envconfig`, not here.
 * @throws ConfigFailure
 */
export function loadConfig(env: NodeJS.ProcessEnv): Config {
  const parsed = environment.safeParse(env);
  const problems = parsed.success ? [] : issueProblems(parsed.error);
  problems.push(...crossProblems(env));
  if (!parsed.success || problems.length > 0) throw configFailure(problems);
  const value = parsed.data;
  return {
    goldmane: toGoldmaneConfig(value),
    database: loadDatabaseConfig(env),
    identity: loadIdentityConfig(env),
    dnsAddresses: value.DNS_ADDRESSES,
    portCap: value.PORT_CAP,
    identityCap: value.IDENTITY_CAP,
    jobs: toJobConfig(value),
    clusterName: value.CLUSTER_NAME,
    names: trailNamesOf(value),
    metricsPort: value.METRICS_PORT,
    httpPort: value.HTTP_PORT,
    map: toMapConfig(value),
    heartbeat: secretUrlOf(value.HEARTBEAT_URL, value.HEARTBEAT_URL_FILE),
    export: toExportConfig(value),
    listenHost: value.LISTEN_HOST,
    logLevel: value.LOG_LEVEL,
    workerIdentity: `${process.pid}@${hostname()}`,
    clock: clockOf(env),
    clockSpeed: parseClockScale(value.FLOW_TRAIL_CLOCK ?? '')?.speed ?? 1,
  };
}
