import { databaseProblems, loadDatabaseConfig, type DatabaseConfig } from './database-config.ts';
import { memoryLimits } from './memory-limits.ts';
import { configFailure } from './config-failure.ts';
import { flag } from './flag.ts';
import { issueProblems } from './issue-problems.ts';
import { hostname } from 'node:os';
import { z } from 'zod';
import { parseAddress } from '../text/address.ts';
import { addressProblem, parseNarrowCidr } from '../text/cidr.ts';
import { isNamespaceName } from '../text/namespace-name.ts';
import { parseClockScale, scaledClock, systemClock, type Clock } from '../time/clock.ts';
import {
  exportCrossProblems,
  exportEnvironment,
  toExportConfig,
  type ExportConfig,
} from './export-config.ts';
import { jobCrossProblems, jobEnvironment, toJobConfig, type JobConfig } from './job-config.ts';
import { clusterEnvironment, trailNamesOf } from './cluster-config.ts';
import type { TrailNames } from './names.ts';
import { secretUrlField, secretUrlOf, secretUrlProblems, type SecretUrl } from './secret-url.ts';

/** The map in the browser. It has no login: anyone who can connect to it can read the trail. */
interface MapConfig {
  /** 0: any free port. */
  port: number | 'off';
  host: string;
  /** Address of the workflow list in the Temporal UI, without a trailing slash. */
  temporalUiUrl: string | undefined;
}

/** How to connect to Goldmane. The files are read again at every connection. */
export interface GoldmaneConfig {
  /** host:port */
  host: string;
  /** The name that the server's certificate must contain; default: the host without its port. */
  serverName?: string;
  /** True: the server's certificate is not verified. The client certificate is still presented. */
  insecure: boolean;
  certPath: string;
  keyPath: string;
  caPath: string;
  /** Largest message accepted, bytes. A `List` response takes about 350 bytes per record. */
  maxReceiveBytes: number;
}

export interface IdentityConfig {
  label: string;
  /** Namespaces in which the label is read; `all` when `*` was given. */
  namespaces: ReadonlySet<string> | 'all';
}

export interface Config {
  goldmane: GoldmaneConfig;
  database: DatabaseConfig;
  identity: IdentityConfig;
  /** Addresses at which DNS is served, as CIDRs, for derived policies. */
  dnsAddresses: readonly string[];
  /** Distinct ports stored per group of facts; further ports are stored as "many". */
  portCap: number;
  /** The scheduled jobs and where they report. */
  jobs: JobConfig;
  /** CLUSTER_NAME; empty when it is not set. */
  clusterName: string;
  /** Names of the schedules, workflows and queue in Temporal. */
  names: TrailNames;
  /** The same as `names.taskQueue`. */
  taskQueue: string;
  metricsPort: number;
  httpPort: number;
  map: MapConfig;
  /** Called after each successful settling round; no calls if undefined. */
  heartbeat: SecretUrl | undefined;
  /** Where records are sent as flow logs; undefined: nowhere. */
  export: ExportConfig | undefined;
  /** Address on which /metrics, /healthz and /readyz listen. */
  listenHost: string;
  logLevel: string;
  workerIdentity: string;
  clock: Clock;
  /** How much faster than the system clock the trail's clock runs: 1, except in tests. */
  clockSpeed: number;
}

const label = /^([a-z0-9A-Z]([-a-z0-9A-Z.]*[a-z0-9A-Z])?\/)?[a-z0-9A-Z]([-_.a-z0-9A-Z]{0,61}[a-z0-9A-Z])?$/;

const text = (fallback: string) =>
  z.string().trim().min(1, 'is empty; set a value or unset it').default(fallback);
/** A whole number in plain digits; the empty string and `0x10` are rejected. */
const wholeNumber = (min: number, max: number, problem: string) =>
  z
    .string()
    .trim()
    .regex(/^[0-9]+$/, problem)
    .transform(Number)
    .refine((value) => value >= min && value <= max, problem);
const port = (fallback: number) => wholeNumber(0, 65_535, 'must be a port from 0 to 65535').default(fallback);

const allowlistEnvironment = {
  DNS_ADDRESSES: z
    .string()
    .default('')
    .transform((text) =>
      text
        .split(',')
        .map((part) => part.trim())
        .filter((part) => part !== ''),
    )
    .refine(
      (parts) => parts.every((part) => parseNarrowCidr(part) !== undefined),
      `contains a value that ${addressProblem}`,
    )
    .transform((parts) => parts.map((part) => parseNarrowCidr(part) ?? part)),
};

const environment = z.object({
  GOLDMANE_HOST: text('goldmane.calico-system.svc.cluster.local:7443').refine(
    (value) => parseAddress(value) !== undefined,
    'must be host:port, for example goldmane.calico-system.svc.cluster.local:7443',
  ),
  GOLDMANE_SERVER_NAME: z.string().trim().optional(),
  GOLDMANE_TLS_INSECURE: flag,
  TLS_CERT_PATH: text('/etc/goldmane-client-tls/tls.crt'),
  TLS_KEY_PATH: text('/etc/goldmane-client-tls/tls.key'),
  CA_CERT_PATH: text('/etc/tigera-ca/tigera-ca-bundle.crt'),
  DATABASE_URL: z.string().trim().optional(),
  DATABASE_URL_FILE: z.string().trim().optional(),
  SERVICE_IDENTITY_LABEL: text('service-identity').refine(
    (value) => label.test(value),
    'must be a Kubernetes label key, for example service-identity',
  ),
  SERVICE_IDENTITY_NAMESPACES: z.string().default('monitoring,kube-system,dbaas'),
  ...allowlistEnvironment,
  PORT_CAP: wholeNumber(1, 65_536, 'must be a whole number from 1 to 65536').default(64),
  ...clusterEnvironment,
  METRICS_PORT: port(9464),
  HTTP_PORT: port(8080),
  MAP_PORT: z
    .union(
      [z.literal('off'), wholeNumber(0, 65_535, 'must be a port from 0 to 65535, or off')],
      'must be a port from 0 to 65535, or off',
    )
    .default(8081),
  MAP_HOST: text('127.0.0.1'),
  TEMPORAL_UI_URL: z
    .string()
    .trim()
    .transform((value) => value.replace(/\/+$/, ''))
    .refine(
      (value) => value === '' || (URL.canParse(value) && /^https?:$/.test(new URL(value).protocol)),
      'must be an http:// or https:// address; for example http://temporal.example:8080/namespaces/default/workflows',
    )
    .default(''),
  HEARTBEAT_URL: secretUrlField,
  HEARTBEAT_URL_FILE: secretUrlField,
  LISTEN_HOST: text('0.0.0.0'),
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

/**
 * Reads the database and job settings, for commands that preview a job's report.
 * @throws ConfigFailure
 */
export function loadReportConfig(env: NodeJS.ProcessEnv): {
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

/** Checks across several settings; separate from the schema, which skips such checks if any field is invalid. */
function crossProblems(env: NodeJS.ProcessEnv): string[] {
  const problems = databaseProblems(env);
  for (const name of identityNamespaces(env['SERVICE_IDENTITY_NAMESPACES'] ?? ''))
    if (name !== '*' && !isNamespaceName(name))
      problems.push(
        `SERVICE_IDENTITY_NAMESPACES contains "${name}", which is not a valid namespace name; set a comma-separated list, or *`,
      );
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

function identityNamespaces(list: string): string[] {
  return list
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}

/** The trail's clock: the system's, except in tests. An invalid FLOW_TRAIL_CLOCK is ignored; loadConfig reports it. */
export function clockOf(env: NodeJS.ProcessEnv): Clock {
  const scale = parseClockScale(env['FLOW_TRAIL_CLOCK'] ?? '');
  return scale ? scaledClock(scale) : systemClock;
}

/**
 * Reads only the service identity settings, for commands that need no others.
 * @throws ConfigFailure
 */
export function loadIdentityConfig(env: NodeJS.ProcessEnv): IdentityConfig {
  const parsed = environment
    .pick({ SERVICE_IDENTITY_LABEL: true, SERVICE_IDENTITY_NAMESPACES: true })
    .safeParse(env);
  if (!parsed.success) throw configFailure(issueProblems(parsed.error));
  const { SERVICE_IDENTITY_LABEL: label, SERVICE_IDENTITY_NAMESPACES: list } = parsed.data;
  const namespaces = identityNamespaces(list);
  return { label, namespaces: namespaces.includes('*') ? 'all' : new Set(namespaces) };
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
  const names = trailNamesOf(value);
  const scale = value.FLOW_TRAIL_CLOCK === undefined ? undefined : parseClockScale(value.FLOW_TRAIL_CLOCK);
  return {
    goldmane: {
      host: value.GOLDMANE_HOST,
      ...(value.GOLDMANE_SERVER_NAME ? { serverName: value.GOLDMANE_SERVER_NAME } : {}),
      insecure: value.GOLDMANE_TLS_INSECURE,
      certPath: value.TLS_CERT_PATH,
      keyPath: value.TLS_KEY_PATH,
      caPath: value.CA_CERT_PATH,
      maxReceiveBytes: memoryLimits.receiveBytes,
    },
    database: loadDatabaseConfig(env),
    identity: loadIdentityConfig(env),
    dnsAddresses: value.DNS_ADDRESSES,
    portCap: value.PORT_CAP,
    jobs: toJobConfig(value),
    clusterName: value.CLUSTER_NAME,
    names,
    taskQueue: names.taskQueue,
    metricsPort: value.METRICS_PORT,
    httpPort: value.HTTP_PORT,
    map: {
      port: value.MAP_PORT,
      host: value.MAP_HOST,
      temporalUiUrl: value.TEMPORAL_UI_URL === '' ? undefined : value.TEMPORAL_UI_URL,
    },
    heartbeat: secretUrlOf(value.HEARTBEAT_URL, value.HEARTBEAT_URL_FILE),
    export: toExportConfig(value),
    listenHost: value.LISTEN_HOST,
    logLevel: value.LOG_LEVEL,
    workerIdentity: `${process.pid}@${hostname()}`,
    clock: scale ? scaledClock(scale) : systemClock,
    clockSpeed: scale?.speed ?? 1,
  };
}
