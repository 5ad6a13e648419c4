import { choices, freeParameters, ignoredParameters, secondsParameters } from './database-url-parameters.ts';
import { copyProblem } from './secret-format.ts';

export type SslMode = 'disable' | 'allow' | 'prefer' | 'require' | 'verify-ca' | 'verify-full';
/** Required kind of server if the URL has several hosts; `any` selects the first that responds. */
type SessionAttributes = 'any' | 'read-write' | 'read-only' | 'primary' | 'standby';

/** A parsed database URL, with the same meaning as in libpq (PostgreSQL manual, 32.1). */
export interface DatabaseTarget {
  /** In the order to try; a host that begins with / is the folder of a Unix socket. */
  readonly hosts: readonly { readonly host: string; readonly port: number }[];
  readonly user: string | undefined;
  readonly password: string | undefined;
  readonly database: string;
  readonly sslMode: SslMode;
  /** `system` means the CAs that Node.js trusts. */
  readonly sslRootCert: string | undefined;
  readonly sslCert: string | undefined;
  readonly sslKey: string | undefined;
  readonly sslNegotiation: 'postgres' | 'direct';
  readonly channelBinding: 'disable' | 'prefer' | 'require';
  readonly sessionAttributes: SessionAttributes;
  readonly applicationName: string | undefined;
  /** Undefined or 0: the default. */
  readonly connectTimeoutSeconds: number | undefined;
  readonly keepAlive: boolean;
  /** Seconds without data before the first TCP keepalive. Undefined or 0: the default. */
  readonly keepAliveIdleSeconds: number | undefined;
  /** The schema of the tables (`options=-c search_path=name`); if undefined, the role's schema, usually `public`. */
  readonly schema: string | undefined;
  /** Other session settings (`options=-c name=value`), in order. */
  readonly settings: readonly (readonly [name: string, value: string])[];
}

const notShown =
  '(value not shown because it may contain a password); percent-encode special characters in the password: @ as %40, # as %23, / as %2F, ? as %3F, % as %25';

class UrlProblem extends Error {}

/** Why a database URL is invalid; undefined if it is valid. Never includes the URL, which contains a password. */
export function databaseUrlProblem(value: string): string | undefined {
  try {
    parseDatabaseUrl(value);
    return undefined;
  } catch (error) {
    if (error instanceof UrlProblem) return error.message;
    throw error;
  }
}

/** Reads a postgres:// URL. @throws an Error with the message that `databaseUrlProblem` returns */
export function parseDatabaseUrl(value: string): DatabaseTarget {
  const { authority, path, query } = split(value);
  const at = authority.lastIndexOf('@');
  const [user, password] = splitOnce(at < 0 ? '' : authority.slice(0, at), ':').map(decode);
  const parameters = readParameters(query);
  const database = parameters.get('dbname') ?? decode(path);
  if (database === '')
    throw new UrlProblem('contains no database name; append /goldmane_edges or your database name');
  return {
    hosts: readHosts(
      parameters.get('host') ?? authority.slice(at + 1),
      parameters.get('port'),
      parameters.has('host'),
    ),
    user: parameters.get('user') ?? (user || undefined),
    password: parameters.get('password') ?? (password || undefined),
    database,
    ...readSecurity(parameters),
    sessionAttributes: toSessionAttributes(parameters.get('target_session_attrs')),
    applicationName: parameters.get('application_name') ?? parameters.get('fallback_application_name'),
    connectTimeoutSeconds: toSeconds(parameters.get('connect_timeout')),
    keepAlive: parameters.get('keepalives') !== '0',
    keepAliveIdleSeconds: toSeconds(parameters.get('keepalives_idle')),
    ...readSettings(parameters.get('options') ?? ''),
  };
}

const scheme = /^postgres(?:ql)?:\/\//;

function split(value: string): { authority: string; path: string; query: string } {
  const copied = copyProblem(value, (text) => scheme.test(text));
  if (copied !== undefined) throw new UrlProblem(copied);
  const parts = /^postgres(?:ql)?:\/\/([^/?#]*)(?:\/([^?#]*))?(?:\?([^#]*))?(#.*)?$/s.exec(value);
  if (!parts) throw new UrlProblem(`is not a postgres:// URL ${notShown}`);
  const [, authority = '', path = '', query = '', fragment] = parts;
  // After an unescaped special character, the rest of a password would be parsed as host, database or parameters.
  if (fragment !== undefined || /[/@]/.test(path) || (query.includes('@') && !authority.includes('@')))
    throw new UrlProblem(`has a #, / or ? in its password, or more than one path ${notShown}`);
  return { authority, path, query };
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

/** A % that does not begin an escape is kept; an escape that is not UTF-8 is rejected. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text.replace(/%(?![0-9a-f]{2})/gi, '%25'));
  } catch {
    throw new UrlProblem(`has a percent-encoded character that is not valid UTF-8 ${notShown}`);
  }
}

function readParameters(query: string): Map<string, string> {
  const parameters = new Map<string, string>();
  for (const part of query.split('&').filter((text) => text !== '')) {
    // Tools that build URLs encode a space as +, which libpq takes literally; in options, + can only mean a space.
    const text = part.startsWith('options=') ? part.replaceAll('+', '%20') : part;
    const [name, value] = splitOnce(text, '=').map(decode);
    if (name === undefined || value === undefined) continue;
    if (ignoredParameters.includes(name)) continue;
    const isSeconds = secondsParameters.includes(name);
    const allowed = Object.hasOwn(choices, name) ? choices[name] : undefined;
    if (!allowed && !isSeconds && !freeParameters.includes(name))
      throw new UrlProblem(
        `has a parameter after ? that is not supported ${notShown}; supported parameters are ${[...Object.keys(choices), ...secondsParameters, ...freeParameters].join(', ')}`,
      );
    if (isSeconds && !/^-?[0-9]{1,6}$/.test(value))
      throw new UrlProblem(`has a wrong value for ${name}; use a whole number of seconds`);
    if (allowed && !allowed.includes(value))
      throw new UrlProblem(`has a wrong value for ${name}; use one of ${allowed.join(', ')}`);
    parameters.set(name, value);
  }
  return parameters;
}

function toSeconds(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Math.max(0, Number(text));
}

const defaultPort = 5432;

function readHosts(hosts: string, ports: string | undefined, arePlain: boolean): DatabaseTarget['hosts'] {
  const portList = ports?.split(',') ?? [];
  return hosts.split(',').map((entry, index) => {
    const own = arePlain ? undefined : /^(\[[0-9a-fA-F:.%]+\]|[^:[\]]*)(?::([0-9]*))?$/.exec(entry);
    if (own === null) throw new UrlProblem(`has an invalid host or port ${notShown}`);
    const host = (arePlain ? entry : decode(own?.[1] ?? '')).replace(/^\[(.*)\]$/, '$1');
    const port =
      own?.[2] || portList[index] || (portList.length === 1 ? portList[0] : '') || `${defaultPort}`;
    if (!/^[0-9]{1,5}$/.test(port) || Number(port) < 1 || Number(port) > 65_535)
      throw new UrlProblem(`has a port outside 1 to 65535 ${notShown}`);
    return { host: host || 'localhost', port: Number(port) };
  });
}

function readSecurity(
  parameters: ReadonlyMap<string, string>,
): Pick<
  DatabaseTarget,
  'sslMode' | 'sslRootCert' | 'sslCert' | 'sslKey' | 'sslNegotiation' | 'channelBinding'
> {
  const sslNegotiation = parameters.get('sslnegotiation') === 'direct' ? 'direct' : 'postgres';
  const channelBinding = parameters.get('channel_binding');
  const ssl = parameters.get('ssl');
  const sslRootCert = parameters.get('sslrootcert');
  const byDefault =
    ssl === 'true' || ssl === '1' || sslNegotiation === 'direct' || channelBinding === 'require'
      ? 'require'
      : 'disable';
  const sslMode = sslRootCert === 'system' ? 'verify-full' : toSslMode(parameters.get('sslmode'), byDefault);
  if (sslMode === 'verify-ca' && sslRootCert === undefined)
    throw new UrlProblem(
      'has sslmode=verify-ca without sslrootcert; add sslrootcert=<file of the CA>, or use sslmode=verify-full',
    );
  if (sslMode === 'disable' && (channelBinding === 'require' || sslNegotiation === 'direct'))
    throw new UrlProblem(
      'has sslmode=disable together with a parameter that needs TLS; use sslmode=require or stricter',
    );
  return {
    sslMode,
    sslRootCert,
    sslCert: parameters.get('sslcert'),
    sslKey: parameters.get('sslkey'),
    sslNegotiation,
    channelBinding: channelBinding === 'require' || channelBinding === 'prefer' ? channelBinding : 'disable',
  };
}

function toSslMode(text: string | undefined, byDefault: SslMode): SslMode {
  switch (text) {
    case 'disable':
    case 'allow':
    case 'prefer':
    case 'require':
    case 'verify-ca':
    case 'verify-full':
      return text;
    case 'no-verify':
      return 'require';
    default:
      return byDefault;
  }
}

function toSessionAttributes(text: string | undefined): SessionAttributes {
  switch (text) {
    case 'read-write':
    case 'read-only':
    case 'primary':
    case 'standby':
      return text;
    default:
      return 'any';
  }
}

function readSettings(options: string): Pick<DatabaseTarget, 'schema' | 'settings'> {
  const settings = readOptions(options);
  const searchPath = settings.findLast(([name]) => name.toLowerCase() === 'search_path')?.[1].trim();
  // With a second schema in the path, tables missing in the first schema would be confused with those of another trail
  // in the second.
  if (searchPath !== undefined && !/^(?:[a-z_][a-z0-9_]{0,62}|"[^",$]{1,63}")$/.test(searchPath))
    throw new UrlProblem(
      'has a search_path that is not a single schema; set one schema in lower-case letters, digits and _: options=-c%20search_path=cluster_a',
    );
  return {
    schema: searchPath?.replaceAll('"', ''),
    settings: settings.filter(([name]) => name.toLowerCase() !== 'search_path'),
  };
}

/** `-c name=value`, `-cname=value` and `--name=value`, with \ before a space that belongs to the value. */
function readOptions(options: string): [string, string][] {
  const words = options.match(/(?:\\.|\S)+/g)?.map((word) => word.replace(/\\(.)/g, '$1')) ?? [];
  const settings: [string, string][] = [];
  while (words.length > 0) {
    const word = words.shift() ?? '';
    const assigned = word === '-c' ? (words.shift() ?? '') : word.replace(/^(?:-c|--)/, '');
    const [name, value] = splitOnce(assigned, '=');
    if (!word.startsWith('-') || !/^[A-Za-z_][\w.-]*$/.test(name) || !assigned.includes('='))
      throw new UrlProblem('has options that are not "-c name=value"; correct or remove them');
    settings.push([name.replaceAll('-', '_'), value]);
  }
  return settings;
}
