import { resolve } from 'node:path';
import { ensureMapPage } from './build-map-page.ts';
import { createWarningRelay, formatEnv, printAddresses } from './hints.ts';
import { showTrail } from './live-view.ts';
import { openLogFile } from './log-file.ts';
import type { Session } from './session.ts';
import { readDevSettings } from './settings.ts';
import {
  bringUpDatabase,
  bringUpGoldmane,
  bringUpSlack,
  bringUpTemporal,
  choosePorts,
  type DevPorts,
  type PartAddress,
  type StackContext,
} from './stack.ts';
import { openStateDirectory, writeSecret } from './state-directory.ts';
import { openTrailReader } from './trail-reader.ts';
import { startWorker, type WorkerOptions } from './worker-process.ts';

/**
 * Starts the whole stack and shows the trail until the session ends. All started parts are in `session.parts`, even if
 * this throws.
 * @throws StartFailure that says what to do
 */
export async function start(session: Session): Promise<void> {
  const { parts, terminal, log, signal } = session;
  const settings = await readDevSettings(process.env);
  const state = await openStateDirectory(settings.stateDir);
  parts.add('State directory', () => state.release());
  const ports = await choosePorts(settings, log);

  await ensureMapPage();
  const { temporal, slack, env } = await bringUpServers({ settings, state, parts, log, signal }, ports);
  const upMs = Date.now();

  await writeSecret(state.in('env'), formatEnv({ ...sharedSettings(process.env), ...env }));
  const file = await openLogFile(state.in('logs', 'worker.log'));
  parts.add('Worker log', () => file.close());
  const relayWarning = createWarningRelay(log);
  const options: WorkerOptions = {
    env: { ...process.env, ...env },
    httpPort: ports.http,
    log,
    onLine: (line) => {
      file.line(line);
      // During shutdown, the worker would log every lost connection.
      if (!signal.aborted) relayWarning(line);
    },
  };
  const worker = await startWorker(options);
  parts.add('Worker', () => worker.stop());
  printAddresses(terminal, state, {
    uiUrl: temporal.uiUrl,
    slackUrl: slack.uiUrl,
    ports,
    embeddedDatabase: settings.database === 'embedded',
  });

  const trail = openTrailReader(
    settings.database === 'embedded' ? { urlFile: state.in('database-url') } : settings.database,
  );
  parts.add('Live view', () => trail.close());
  const view = showTrail({ terminal, trail, workerNotReady: worker.notReady, startedMs: upMs, signal });
  await Promise.race([view, worker.failed]);
}

/** Starts the servers in parallel. If one fails, cancels the others and waits for them. */
async function bringUpServers(
  context: StackContext,
  ports: DevPorts,
): Promise<{ temporal: PartAddress; slack: PartAddress; env: NodeJS.ProcessEnv }> {
  const failing = new AbortController();
  const cautious = { ...context, signal: AbortSignal.any([context.signal, failing.signal]) };
  const starts = [
    bringUpDatabase(cautious, ports.postgres),
    bringUpTemporal(cautious, { port: ports.temporal, uiPort: ports.ui }),
    bringUpGoldmane(cautious, ports.goldmane),
    bringUpSlack(cautious, ports.slack),
  ] as const;
  try {
    const [database, temporal, goldmane, slack] = await Promise.all(starts);
    const env = {
      LOG_LEVEL: process.env.LOG_LEVEL ?? 'info',
      ...database.env,
      ...temporal.env,
      ...goldmane.env,
      ...slack.env,
      METRICS_PORT: String(ports.metrics),
      HTTP_PORT: String(ports.http),
      MAP_PORT: String(ports.map),
      MAP_HOST: '127.0.0.1',
      ...(temporal.uiUrl === undefined
        ? {}
        : { TEMPORAL_UI_URL: `${temporal.uiUrl}/namespaces/default/workflows` }),
      LISTEN_HOST: '127.0.0.1',
    };
    return { temporal, slack, env };
  } catch (error) {
    failing.abort(error);
    await Promise.allSettled(starts);
    throw error;
  }
}

/** Settings of the user without which commands in another terminal would not find the trail, or could not read it. */
function sharedSettings(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const { CLUSTER_NAME, TEMPORAL_TASK_QUEUE, TEMPORAL_CODEC_KEY_FILE: keyFile } = env;
  return {
    CLUSTER_NAME,
    TEMPORAL_TASK_QUEUE,
    TEMPORAL_CODEC_KEY_FILE: keyFile === undefined ? undefined : resolve(keyFile),
  };
}
