import { errorCode, errorLine } from '../failure/thrown.ts';
import { accessSync, constants, readFileSync, statSync } from 'node:fs';
import { loadClientConnectConfig, type ClientConnectConfig } from '@temporalio/envconfig';
import { configFailure } from '../config/config-failure.ts';
import {
  checkCredentials,
  credentialsUnreadable,
  profileFileUnreadable,
  type CredentialName,
} from './credentials.ts';

const address = /^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(:[0-9]{1,5})?$/;
const files: readonly CredentialName[] = ['CLIENT_CERT', 'CLIENT_KEY', 'SERVER_CA_CERT'];
/** A header accepts visible ASCII only; gRPC would quote any other key in its error. */
const apiKeyText = /^(?!["'`])[\x21-\x7e]+$/;
const flags = ['TEMPORAL_TLS', 'TEMPORAL_TLS_DISABLE_HOST_VERIFICATION'] as const;

export interface TemporalSettings extends ClientConnectConfig {
  /** The file with the keys that encrypt payloads. */
  codecKeyFile?: string;
}

/**
 * Reads the address and credentials of Temporal: TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, TEMPORAL_API_KEY, TEMPORAL_TLS*
 * and the profiles of TEMPORAL_CONFIG_FILE, as `@temporalio/envconfig` reads them, TEMPORAL_API_KEY_FILE and
 * TEMPORAL_CODEC_KEY_FILE. Reads the files of credentials at each call.
 * @throws ConfigFailure for a setting that is wrong
 * @throws TemporalFailure `credentials` for a certificate, key, CA or API key file that cannot be used at present
 */
export function temporalConfig(env: NodeJS.ProcessEnv = process.env): TemporalSettings {
  const problems = temporalProblems(env);
  if (problems.length > 0) throw configFailure(problems);
  for (const file of files) {
    const path = env[`TEMPORAL_TLS_${file}_PATH`];
    const reason = path === undefined ? undefined : unreadableBecause(path);
    if (reason !== undefined) throw credentialsUnreadable(env, file, reason);
  }
  const overrideEnvVars = { ...definedOf(env), ...apiKeyOf(env) };
  const config = load(env, overrideEnvVars);
  const { apiKey } = config.connectionOptions;
  if (typeof apiKey === 'string' && !apiKeyText.test(apiKey))
    throw configFailure([
      'TEMPORAL_API_KEY, or api_key of the profile, contains quotes, spaces, line breaks or other characters that are not allowed in an API key; correct it',
    ]);
  checkCredentials(env, config);
  const codecKeyFile = env['TEMPORAL_CODEC_KEY_FILE']?.trim();
  return codecKeyFile ? { ...config, codecKeyFile } : config;
}

function load(env: NodeJS.ProcessEnv, overrideEnvVars: Record<string, string>): ClientConnectConfig {
  try {
    return loadClientConnectConfig({ overrideEnvVars });
  } catch (error) {
    const path = error instanceof Error && 'path' in error ? String(error.path) : undefined;
    const reason = path === undefined ? undefined : unreadableBecause(path);
    if (path !== undefined && reason !== undefined && path !== env['TEMPORAL_CONFIG_FILE'])
      throw profileFileUnreadable(path, reason);
    // Only the first line: after it, a TOML parser quotes the file, which may contain an API key.
    throw configFailure([
      `${profileOf(env)} (${errorLine(error)}); correct the file, TEMPORAL_CONFIG_FILE or TEMPORAL_PROFILE`,
    ]);
  }
}

function apiKeyOf(env: NodeJS.ProcessEnv): Record<string, string> {
  const file = env['TEMPORAL_API_KEY_FILE'];
  if (!file) return {};
  const reason = unreadableBecause(file);
  if (reason !== undefined) throw credentialsUnreadable(env, 'API_KEY', reason);
  const key = readFileSync(file, 'utf8').trim();
  if (key === '') throw credentialsUnreadable(env, 'API_KEY', 'is empty');
  if (!apiKeyText.test(key))
    throw credentialsUnreadable(
      env,
      'API_KEY',
      'contains quotes, spaces, line breaks or other characters that are not allowed in an API key',
    );
  return { TEMPORAL_API_KEY: key };
}

/** Problems that envconfig would ignore silently or report without the variable's name. */
function temporalProblems(env: NodeJS.ProcessEnv): string[] {
  const problems: string[] = [];
  const given = env['TEMPORAL_ADDRESS'];
  if (given !== undefined && !address.test(given))
    problems.push(
      'TEMPORAL_ADDRESS is not host:port, without a scheme; for example temporal-frontend.temporal:7233',
    );
  if (env['TEMPORAL_NAMESPACE']?.trim() === '')
    problems.push('TEMPORAL_NAMESPACE is empty; set a value or unset it');
  for (const name of flags)
    if (!['1', 'true', '0', 'false', undefined].includes(env[name]))
      problems.push(`${name} must be true or false; correct or unset it`);
  const configFile = env['TEMPORAL_CONFIG_FILE'];
  const unreadable = configFile === undefined ? undefined : unreadableBecause(configFile);
  if (unreadable !== undefined)
    problems.push(`TEMPORAL_CONFIG_FILE ${configFile} ${unreadable}; mount the file or unset it`);
  if (env['TEMPORAL_API_KEY_FILE'] && env['TEMPORAL_API_KEY'] !== undefined)
    problems.push('TEMPORAL_API_KEY_FILE and TEMPORAL_API_KEY are both set; keep one of them');
  for (const file of files) {
    const [path, data] = [env[`TEMPORAL_TLS_${file}_PATH`], env[`TEMPORAL_TLS_${file}_DATA`]];
    if (path !== undefined && data !== undefined)
      problems.push(`TEMPORAL_TLS_${file}_PATH and TEMPORAL_TLS_${file}_DATA are both set; keep one of them`);
  }
  const isSet = (file: string) =>
    env[`TEMPORAL_TLS_${file}_PATH`] !== undefined || env[`TEMPORAL_TLS_${file}_DATA`] !== undefined;
  // A profile in the file may contain the other half.
  if (configFile === undefined && isSet('CLIENT_CERT') !== isSet('CLIENT_KEY'))
    problems.push(
      'TEMPORAL_TLS_CLIENT_CERT_PATH and TEMPORAL_TLS_CLIENT_KEY_PATH (or _DATA): only one is set; set both or neither',
    );
  return problems;
}

function unreadableBecause(path: string): string | undefined {
  try {
    accessSync(path, constants.R_OK);
    // A container runtime creates a directory at the path of a missing file that is mounted.
    return statSync(path).isDirectory() ? 'is a directory' : undefined;
  } catch (error) {
    const code = errorCode(error, 'unknown error');
    return code === 'ENOENT'
      ? 'is missing'
      : code === 'EACCES'
        ? 'may not be read'
        : `cannot be read (${code})`;
  }
}

function profileOf(env: NodeJS.ProcessEnv): string {
  const [profile, file] = [env['TEMPORAL_PROFILE'], env['TEMPORAL_CONFIG_FILE']];
  const where =
    file === undefined
      ? "Temporal's configuration file in the home directory"
      : `the file ${file} (TEMPORAL_CONFIG_FILE)`;
  return profile === undefined
    ? `${where} cannot be used`
    : `TEMPORAL_PROFILE "${profile}" cannot be read from ${where}`;
}

function definedOf(env: NodeJS.ProcessEnv): Record<string, string> {
  const defined: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) if (value !== undefined) defined[name] = value;
  return defined;
}
