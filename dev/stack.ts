import { writeFile } from 'node:fs/promises';
import { systemClock } from '../src/time/clock.ts';
import { issueCertificates, writeCertificates } from './certificates.ts';
import { startGoldmane } from './goldmane/stand-in.ts';
import { openLogFile } from './log-file.ts';
import type { Parts } from './parts.ts';
import { preferredPort } from './ports.ts';
import { startPostgres } from './postgres/server.ts';
import type { DevSettings } from './settings.ts';
import { runNodes, sendPastHour } from './simulation/deliveries.ts';
import { startSlack } from './slack/stand-in.ts';
import { writeSecret, type StateDirectory } from './state-directory.ts';
import { findTemporal } from './temporal/find.ts';
import { startTemporalServer } from './temporal/server.ts';
import { ownClusterName, removeTrail } from './temporal/shared.ts';

export interface StackContext {
  settings: DevSettings;
  state: StateDirectory;
  parts: Parts;
  log: (line: string) => void;
  signal: AbortSignal;
}

/** The worker's settings for a part of the stack, and the address of the part's page. */
export interface PartAddress {
  env: NodeJS.ProcessEnv;
  uiUrl?: string;
}

/** Ports of the parts. A taken port is replaced by the next free one, with a message. */
export interface DevPorts {
  temporal: number;
  ui: number;
  goldmane: number;
  postgres: number;
  slack: number;
  metrics: number;
  http: number;
  map: number;
}

const PREFERRED_PORTS: DevPorts = {
  temporal: 7233,
  ui: 8233,
  goldmane: 7443,
  postgres: 15432,
  slack: 8090,
  metrics: 9464,
  http: 8080,
  map: 8081,
};

export async function choosePorts(settings: DevSettings, log: (line: string) => void): Promise<DevPorts> {
  const taken = new Set<number>();
  const choose = async (what: string, wanted: number): Promise<number> => {
    const port = await preferredPort(wanted, taken);
    if (port !== wanted) log(`Port ${wanted} (${what}) is taken, using ${port}`);
    return port;
  };
  const { temporal, goldmane, database, slack } = settings;
  return {
    temporal: temporal === 'embedded' ? await choose('Temporal', PREFERRED_PORTS.temporal) : 0,
    ui: temporal === 'embedded' ? await choose('Temporal UI', PREFERRED_PORTS.ui) : 0,
    goldmane: goldmane === 'embedded' ? await choose('Goldmane stand-in', PREFERRED_PORTS.goldmane) : 0,
    postgres: database === 'embedded' ? await choose('PostgreSQL', PREFERRED_PORTS.postgres) : 0,
    slack: slack === 'embedded' ? await choose('Slack stand-in', PREFERRED_PORTS.slack) : 0,
    metrics: await choose('metrics', PREFERRED_PORTS.metrics),
    http: await choose('health', PREFERRED_PORTS.http),
    map: await choose('map', PREFERRED_PORTS.map),
  };
}

export async function bringUpDatabase(context: StackContext, port: number): Promise<PartAddress> {
  const { settings, state, parts, log, signal } = context;
  if (settings.database !== 'embedded') {
    const name = 'url' in settings.database ? 'DATABASE_URL' : 'DATABASE_URL_FILE';
    log(`PostgreSQL: using ${name} instead of an embedded server`);
    return { env: {} };
  }
  const file = await openLogFile(state.in('logs', 'postgres.log'));
  parts.add('PostgreSQL log', () => file.close());
  const postgres = await startPostgres({
    dataDir: state.in('postgres'),
    port,
    signal,
    log,
    onLine: (line) => file.line(line),
  });
  parts.add('PostgreSQL', () => postgres.stop());
  await writeSecret(state.in('database-url'), `${postgres.url}\n`);
  log(`PostgreSQL: up on 127.0.0.1:${postgres.port}`);
  return { env: { DATABASE_URL: undefined, DATABASE_URL_FILE: state.in('database-url') } };
}

export async function bringUpTemporal(
  context: StackContext,
  ports: { port: number; uiPort: number },
): Promise<PartAddress> {
  const { settings, state, parts, log, signal } = context;
  if (settings.temporal !== 'embedded') {
    log(`Temporal: using TEMPORAL_ADDRESS (${settings.temporal.address}) instead of a dev server`);
    const { TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE } = process.env;
    const server = { TEMPORAL_ADDRESS, ...(TEMPORAL_NAMESPACE ? { TEMPORAL_NAMESPACE } : {}) };
    const isNamed = Boolean(process.env.CLUSTER_NAME?.trim() || process.env.TEMPORAL_TASK_QUEUE?.trim());
    if (isNamed || settings.database !== 'embedded') return { env: server };
    const clusterName = await ownClusterName(state.in('cluster-name'));
    log(`Temporal: CLUSTER_NAME is ${clusterName}; its supervisor and schedules are removed on exit`);
    parts.add('Supervisor and schedules', () => removeTrail(clusterName));
    return { env: { ...server, CLUSTER_NAME: clusterName } };
  }
  const executable = await findTemporal({ log, signal });
  const file = await openLogFile(state.in('logs', 'temporal.log'));
  parts.add('Temporal log', () => file.close());
  const server = await startTemporalServer({
    executable,
    dataFile: state.in('temporal', 'temporal.db'),
    ...ports,
    signal,
    log,
    onLine: (line) => file.line(line),
  });
  parts.add('Temporal', () => server.stop());
  log(`Temporal: up on ${server.address}`);
  const profile = state.in('temporal', 'temporal.toml');
  await writeFile(
    profile,
    `[profile.default]\naddress = "${server.address}"\nnamespace = "${server.namespace}"\n`,
  );
  return { env: onlyProfile(profile, server.address), uiUrl: server.uiUrl };
}

/**
 * Settings for another Temporal server, from the environment or a user's profile, must not reach the dev server's
 * client.
 */
function onlyProfile(profile: string, address: string): NodeJS.ProcessEnv {
  const kept = new Set(['TEMPORAL_TASK_QUEUE', 'TEMPORAL_CODEC_KEY_FILE']);
  const others = Object.keys(process.env).filter((name) => name.startsWith('TEMPORAL_') && !kept.has(name));
  return {
    ...Object.fromEntries(others.map((name) => [name, undefined])),
    TEMPORAL_CONFIG_FILE: profile,
    TEMPORAL_ADDRESS: address,
    TEMPORAL_NAMESPACE: 'default',
  };
}

export async function bringUpGoldmane(context: StackContext, port: number): Promise<PartAddress> {
  const { settings, state, parts, log, signal } = context;
  if (settings.goldmane !== 'embedded') {
    log(`Goldmane: using GOLDMANE_HOST (${settings.goldmane.host}) instead of the stand-in`);
    return { env: {} };
  }
  const { authority, server, client } = await issueCertificates();
  const files = await writeCertificates(state.in('tls'), { pair: client, bundle: authority.certificate });
  const goldmane = await startGoldmane({
    clock: systemClock,
    tls: { ca: authority.certificate, cert: server.certificate, key: server.key },
    port,
    startAtOnce: true,
    // After a restart, it gets the past hour of the same simulation again, so readers do not notice the restart.
    keyIds: 'of_content',
  });
  parts.add('Goldmane', () => goldmane.stop());

  const nodes = { seed: settings.seed, clock: systemClock, signal, ingest: goldmane.ingest.bind(goldmane) };
  log('Goldmane: filling the stand-in with the last hour of the simulated cluster');
  const sentUntilMs = await sendPastHour(nodes);
  const ending = new AbortController();
  const running = runNodes({ ...nodes, sentUntilMs, signal: ending.signal });
  parts.add('Simulated nodes', async () => {
    ending.abort();
    await running;
  });
  log(`Goldmane: up on ${goldmane.address} (mTLS), ${goldmane.stats().ingested.toLocaleString('en')} flows`);
  return {
    env: {
      GOLDMANE_HOST: goldmane.address,
      GOLDMANE_SERVER_NAME: 'goldmane.calico-system.svc',
      GOLDMANE_TLS_INSECURE: undefined,
      TLS_CERT_PATH: files.certPath,
      TLS_KEY_PATH: files.keyPath,
      CA_CERT_PATH: files.caPath,
    },
  };
}

/** Every two minutes, so that the first digest is not delayed until 08:00. */
const DIGEST_CRON = '*/2 * * * *';

export async function bringUpSlack(context: StackContext, port: number): Promise<PartAddress> {
  const { settings, parts, log } = context;
  if (settings.slack !== 'embedded') {
    log(`Slack: using ${settings.slack.name} instead of the stand-in`);
    return { env: {} };
  }
  const slack = await startSlack({ port });
  parts.add('Slack', () => slack.stop());
  log(`Slack: stand-in is up on ${slack.pageUrl}; receives a digest when there are new edges`);
  return {
    env: {
      SLACK_WEBHOOK_URL: slack.webhookUrl,
      SLACK_WEBHOOK_URL_FILE: undefined,
      // On a Temporal server of the user, schedules keep their normal times.
      ...(settings.temporal === 'embedded' && !process.env.DIGEST_CRON ? { DIGEST_CRON } : {}),
    },
    uiUrl: slack.pageUrl,
  };
}
