/** Parameters of a database URL with a fixed set of values. */
export const choices: Record<string, readonly string[]> = {
  sslmode: ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full', 'no-verify'],
  target_session_attrs: ['any', 'read-write', 'read-only', 'primary', 'standby'],
  channel_binding: ['disable', 'prefer', 'require'],
  sslnegotiation: ['postgres', 'direct'],
  ssl: ['true', '1', 'false', '0'],
  gssencmode: ['disable', 'prefer'],
  client_encoding: ['utf8', 'UTF8', 'UTF-8', 'auto'],
  keepalives: ['0', '1'],
};
/** Parameters with a whole number of seconds. */
export const secondsParameters: readonly string[] = ['connect_timeout', 'keepalives_idle'];
/**
 * Accepted without effect, because other clients write them: Node cannot set the first three, and the others are about the pools
 * of those clients.
 */
export const ignoredParameters: readonly string[] = [
  'keepalives_interval',
  'keepalives_count',
  'tcp_user_timeout',
  'uselibpqcompat',
  'pgbouncer',
  'connection_limit',
  'pool_timeout',
];
/** Parameters that accept any value. */
export const freeParameters: readonly string[] = [
  'host',
  'port',
  'user',
  'password',
  'dbname',
  'sslrootcert',
  'sslcert',
  'sslkey',
  'application_name',
  'fallback_application_name',
  'options',
];
