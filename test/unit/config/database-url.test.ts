import { expect, test } from 'vitest';
import { databaseUrlProblem, parseDatabaseUrl } from '../../../src/config/database-url.ts';

// Forms that hosting providers, operators and the manuals of other clients show.
test.each([
  'postgresql://u:p@198.51.100.22:3333/sales?connect_timeout=10&sslmode=require&target_session_attrs=primary',
  'postgresql://u:p@h/db?connect_timeout=300&keepalives=1&keepalives_idle=60&keepalives_interval=10&keepalives_count=5',
  'postgresql://o:p@ep-cool-123-pooler.eu-central-1.aws.neon.tech/neondb?sslmode=require&channel_binding=require',
  'postgres://postgres.ref:p@aws-0-eu-west-1.pooler.supabase.com:6543/postgres?pgbouncer=true&connection_limit=1',
  'postgres:///db?host=/var/run/postgresql&user=me',
  'postgresql://user@localhost:5433,h2/db?options=-c%20synchronous_commit%3Doff',
  'postgres://v-token-app-rw-Xy9-1700000000:A1a-b_c@h:5432/db?fallback_application_name=x&tcp_user_timeout=3000',
])('%s is accepted', (url) => {
  expect(databaseUrlProblem(url)).toBeUndefined();
});

test.each([
  'postgres://u:p@h/db?schema=public',
  'postgres://u:p@h/db?sslcrl=/revoked.pem',
  'postgres://u:p@h/db?ssl_min_protocol_version=TLSv1.3',
  'postgres://u:p@h/db?connect_timeout=ten',
  'postgres://u:p@h/db?keepalives=yes',
])('%s is rejected, because the parameter would have no effect', (url) => {
  expect(databaseUrlProblem(url)).toBeDefined();
});

test('timeout and keepalives are in seconds; 0 and negative numbers select the default', () => {
  const read = (query: string) => {
    const { connectTimeoutSeconds, keepAlive, keepAliveIdleSeconds } = parseDatabaseUrl(
      `postgres://u:p@h/db${query}`,
    );
    return [connectTimeoutSeconds, keepAlive, keepAliveIdleSeconds];
  };
  expect(read('')).toEqual([undefined, true, undefined]);
  expect(read('?connect_timeout=3&keepalives=0&keepalives_idle=60')).toEqual([3, false, 60]);
  expect(read('?connect_timeout=0&keepalives_idle=-1')).toEqual([0, true, 0]);
});
