import { access, constants } from 'node:fs/promises';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { errorText } from '../src/failure/thrown.ts';
import { startFailure } from './start-failure.ts';

/** The parts that `npm start` starts itself; an address set in the environment replaces a part. */
export interface DevSettings {
  stateDir: string;
  seed: number;
  temporal: 'embedded' | { address: string };
  goldmane: 'embedded' | { host: string };
  database: 'embedded' | { url: string } | { urlFile: string };
  /** Or the setting with the user's own webhook. */
  slack: 'embedded' | { name: 'SLACK_WEBHOOK_URL' | 'SLACK_WEBHOOK_URL_FILE' };
}

/** Reads the environment. Throws StartFailure for settings that cannot work, before anything is started. */
export async function readDevSettings(env: NodeJS.ProcessEnv): Promise<DevSettings> {
  if (process.platform === 'win32') {
    throw startFailure('npm start does not support native Windows', 'Run it in WSL, or on Linux or macOS.');
  }
  const seed = Number(env.FLOW_TRAIL_SEED ?? '14');
  if (!Number.isSafeInteger(seed)) {
    throw startFailure('FLOW_TRAIL_SEED must be a whole number', 'Correct or unset it.');
  }
  const goldmane = env.GOLDMANE_HOST ? { host: env.GOLDMANE_HOST } : 'embedded';
  if (goldmane !== 'embedded') await checkCertificates(env);
  return {
    stateDir: resolve(env.FLOW_TRAIL_STATE_DIR ?? fileURLToPath(new URL('../.flow-trail', import.meta.url))),
    seed,
    temporal: env.TEMPORAL_ADDRESS ? { address: env.TEMPORAL_ADDRESS } : 'embedded',
    goldmane,
    database: readDatabase(env),
    slack: readSlack(env),
  };
}

function readDatabase(env: NodeJS.ProcessEnv): DevSettings['database'] {
  if (env.DATABASE_URL) return { url: env.DATABASE_URL };
  if (env.DATABASE_URL_FILE) return { urlFile: env.DATABASE_URL_FILE };
  return 'embedded';
}

function readSlack(env: NodeJS.ProcessEnv): DevSettings['slack'] {
  if (env.SLACK_WEBHOOK_URL?.trim()) return { name: 'SLACK_WEBHOOK_URL' };
  return env.SLACK_WEBHOOK_URL_FILE?.trim() ? { name: 'SLACK_WEBHOOK_URL_FILE' } : 'embedded';
}

/** Your own Goldmane requires a client certificate signed by its CA. */
async function checkCertificates(env: NodeJS.ProcessEnv): Promise<void> {
  const files = [
    ['TLS_CERT_PATH', env.TLS_CERT_PATH ?? '/etc/goldmane-client-tls/tls.crt'],
    ['TLS_KEY_PATH', env.TLS_KEY_PATH ?? '/etc/goldmane-client-tls/tls.key'],
    ['CA_CERT_PATH', env.CA_CERT_PATH ?? '/etc/tigera-ca/tigera-ca-bundle.crt'],
  ] as const;
  for (const [name, path] of files) {
    try {
      await access(path, constants.R_OK);
    } catch (error) {
      throw startFailure(
        `GOLDMANE_HOST is set, but ${path} cannot be read: ${errorText(error)}`,
        `Set ${name} to the file, or unset GOLDMANE_HOST to use the stand-in.`,
      );
    }
  }
}
