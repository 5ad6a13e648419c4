import type { GoldmaneVersion } from '../../dev/goldmane/stand-in.ts';

/**
 * The server under test; the tests are the same for each. Default: the stand-in in this process, on a fast clock, in
 * both versions. CONFORMANCE_START_COMMAND: a command that the tests start and kill, with Goldmane's own settings
 * (PORT, SERVER_CERT_PATH, SERVER_KEY_PATH, CA_CERT_PATH, AGGREGATION_WINDOW). CONFORMANCE_GOLDMANE_HOST: a server that
 * is already running; tests that must restart it are skipped.
 */
type Subject =
  | { kind: 'stand-in' }
  | { kind: 'command'; command: string }
  | {
      kind: 'running';
      address: string;
      certPath: string;
      keyPath: string;
      caPath: string;
      bucketSeconds: number;
    };

const env = process.env;

export const subject: Subject = readSubject();
export const versions: readonly GoldmaneVersion[] = readVersions();
/** Overrides the expected server name, for a running server whose certificate has another one. */
export const serverName = env.CONFORMANCE_SERVER_NAME ?? 'goldmane';

function readSubject(): Subject {
  if (env.CONFORMANCE_START_COMMAND !== undefined) {
    return { kind: 'command', command: env.CONFORMANCE_START_COMMAND };
  }
  if (env.CONFORMANCE_GOLDMANE_HOST !== undefined) {
    return {
      kind: 'running',
      address: env.CONFORMANCE_GOLDMANE_HOST,
      certPath: required('CONFORMANCE_CERT_PATH'),
      keyPath: required('CONFORMANCE_KEY_PATH'),
      caPath: required('CONFORMANCE_CA_PATH'),
      bucketSeconds: Number(env.CONFORMANCE_BUCKET_SECONDS ?? '15'),
    };
  }
  return { kind: 'stand-in' };
}

function readVersions(): readonly GoldmaneVersion[] {
  const version = env.CONFORMANCE_VERSION;
  if (version === undefined && subject.kind === 'stand-in') return ['3.30', '3.32'];
  if (version === '3.30' || version === '3.32') return [version];
  throw new Error('CONFORMANCE_VERSION must be 3.30 or 3.32, whichever the server behaves as');
}

function required(name: string): string {
  const value = env[name];
  if (value === undefined) throw new Error(`${name} is required with CONFORMANCE_GOLDMANE_HOST`);
  return value;
}
