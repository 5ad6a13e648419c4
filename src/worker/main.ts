import { pathToFileURL } from 'node:url';
import type { Logger } from 'pino';
import { configFailure, isConfigFailure } from '../config/config-failure.ts';
import { extendConnectAttempts } from '../config/connect-attempts.ts';
import { loadConfig, type Config } from '../config/config.ts';
import { createLog } from './logging.ts';
import { runWorker } from './run-worker.ts';
import { isTemporalFailure } from '../temporal/failure.ts';
import { temporalConfig } from '../temporal/settings.ts';

const exitLimitMs = 5_000;

/**
 * The worker as a process: settings from the environment, SIGTERM and SIGINT shut it down in order, a failure exits
 * non-zero.
 */
export async function main(): Promise<void> {
  extendConnectAttempts();
  const stopping = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const)
    process.once(name, () => stopping.abort(new Error(`got ${name}`)));
  try {
    const config = loadSettings(process.env);
    const log = createLog(config.logLevel);
    try {
      await runWorker(config, log, stopping.signal);
      log.info('The worker stopped');
    } catch (error) {
      if (isConfigFailure(error)) throw error;
      log.fatal({ err: error }, 'the worker failed');
      process.exitCode = 1;
    }
    exitSoon(log);
  } catch (error) {
    if (!isConfigFailure(error)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 2;
  }
}

/** A failed SDK worker, or a connection that is still open, would keep the process alive. */
function exitSoon(log: Logger): void {
  const exit = () => {
    log.warn(
      { resources: process.getActiveResourcesInfo() },
      'The process did not end by itself; it exits now',
    );
    process.exit();
  };
  setTimeout(exit, exitLimitMs).unref();
}

/** Reads all settings. Temporal's are only checked here, so that their problems are reported together with the others. */
function loadSettings(env: NodeJS.ProcessEnv): Config {
  const problems: string[] = [];
  const attempt = <Settings>(load: (from: NodeJS.ProcessEnv) => Settings): Settings | undefined => {
    try {
      return load(env);
    } catch (error) {
      // The worker waits for a certificate or key that is not usable yet.
      if (isTemporalFailure(error)) return undefined;
      if (!isConfigFailure(error)) throw error;
      problems.push(...error.problems);
      return undefined;
    }
  };
  const config = attempt(loadConfig);
  attempt(temporalConfig);
  if (!config || problems.length > 0) throw configFailure(problems);
  return config;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) await main();
