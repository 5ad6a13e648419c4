import { accessSync, constants, readFileSync } from 'node:fs';
import { loadClientConnectConfig, type ClientConnectConfig } from '@temporalio/envconfig';
import { configFailure } from '../config/config-failure.ts';

const address = /^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(:[0-9]{1,5})?$/;
const files = ['CLIENT_CERT', 'CLIENT_KEY', 'SERVER_CA_CERT'] as const;
const flags = ['TEMPORAL_TLS', 'TEMPORAL_TLS_DISABLE_HOST_VERIFICATION'] as const;

/**
 * Reads where Temporal is and the credentials: TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, TEMPORAL_API_KEY, TEMPORAL_TLS* and
 * the profiles of TEMPORAL_CONFIG_FILE, as `@temporalio/envconfig` reads them, and TEMPORAL_API_KEY_FILE. Reads the files
 * at each call.
 * @throws ConfigFailure
 */
export function temporalConfig(env: NodeJS.ProcessEnv = process.env): ClientConnectConfig {
  const problems = temporalProblems(env);
  if (problems.length > 0) throw configFailure(problems);
  try {
    return loadClientConnectConfig({ overrideEnvVars: { ...definedOf(env), ...apiKeyOf(env) } });
  } catch (error) {
    throw configFailure([`${profileOf(env)} (${reasonOf(error)}); correct it, or unset what names it`]);
  }
}

function apiKeyOf({ TEMPORAL_API_KEY_FILE: file }: NodeJS.ProcessEnv): Record<string, string> {
  return file ? { TEMPORAL_API_KEY: readFileSync(file, 'utf8').trim() } : {};
}

/** What envconfig would pass over in silence, or report without the name of the variable. */
function temporalProblems(env: NodeJS.ProcessEnv): string[] {
  const problems: string[] = [];
  const given = env['TEMPORAL_ADDRESS'];
  if (given !== undefined && !address.test(given))
    problems.push(
      'TEMPORAL_ADDRESS is not host:port, without a scheme; for example temporal-frontend.temporal:7233',
    );
  if (env['TEMPORAL_NAMESPACE']?.trim() === '')
    problems.push('TEMPORAL_NAMESPACE is empty; give it a value or unset it');
  for (const name of flags)
    if (!['1', 'true', '0', 'false', undefined].includes(env[name]))
      problems.push(`${name} must be true or false; correct or unset it`);
  const configFile = env['TEMPORAL_CONFIG_FILE'];
  const unreadable = configFile === undefined ? undefined : unreadableBecause(configFile);
  if (unreadable !== undefined)
    problems.push(
      `TEMPORAL_CONFIG_FILE names ${configFile}, which ${unreadable}; mount the file or unset it`,
    );
  problems.push(...apiKeyProblems(env));
  for (const file of files) {
    const [path, data] = [env[`TEMPORAL_TLS_${file}_PATH`], env[`TEMPORAL_TLS_${file}_DATA`]];
    if (path !== undefined && data !== undefined)
      problems.push(
        `TEMPORAL_TLS_${file}_PATH is set together with TEMPORAL_TLS_${file}_DATA; keep one of the two`,
      );
    const reason = path === undefined ? undefined : unreadableBecause(path);
    if (reason !== undefined)
      problems.push(
        `TEMPORAL_TLS_${file}_PATH names ${path}, which ${reason}; mount the secret or correct the path`,
      );
  }
  const isSet = (file: string) =>
    env[`TEMPORAL_TLS_${file}_PATH`] !== undefined || env[`TEMPORAL_TLS_${file}_DATA`] !== undefined;
  // A profile of the file may hold the other half.
  if (configFile === undefined && isSet('CLIENT_CERT') !== isSet('CLIENT_KEY'))
    problems.push(
      'TEMPORAL_TLS_CLIENT_CERT_PATH and TEMPORAL_TLS_CLIENT_KEY_PATH (or _DATA) belong together; set both or none',
    );
  return problems;
}

function apiKeyProblems({ TEMPORAL_API_KEY_FILE: file, TEMPORAL_API_KEY: key }: NodeJS.ProcessEnv): string[] {
  if (!file) return [];
  if (key !== undefined)
    return ['TEMPORAL_API_KEY_FILE is set together with TEMPORAL_API_KEY; keep one of the two'];
  const reason = unreadableBecause(file);
  if (reason !== undefined)
    return [`TEMPORAL_API_KEY_FILE names ${file}, which ${reason}; mount the secret or correct the path`];
  if (readFileSync(file, 'utf8').trim() === '')
    return [`TEMPORAL_API_KEY_FILE names ${file}, which is empty; write the API key into it`];
  return [];
}

function unreadableBecause(path: string): string | undefined {
  try {
    accessSync(path, constants.R_OK);
    return undefined;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    return code === 'ENOENT'
      ? 'is missing'
      : code === 'EACCES'
        ? 'may not be read'
        : `cannot be read (${code})`;
  }
}

function profileOf(env: NodeJS.ProcessEnv): string {
  const [profile, file] = [env['TEMPORAL_PROFILE'], env['TEMPORAL_CONFIG_FILE']];
  const where = file ?? "Temporal's configuration file in the home directory";
  return profile === undefined
    ? `${where} cannot be used`
    : `TEMPORAL_PROFILE names "${profile}", which cannot be had from ${where}`;
}

/** The first line: what a TOML parser says after it quotes the file, which may hold an API key. */
function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.split('\n')[0] ?? 'unknown error';
}

function definedOf(env: NodeJS.ProcessEnv): Record<string, string> {
  const defined: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) if (value !== undefined) defined[name] = value;
  return defined;
}
