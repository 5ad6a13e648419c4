import { pino } from 'pino';
import { expect, test } from 'vitest';
import { startTracing } from '../../../src/worker/tracing.ts';

const log = pino({ level: 'silent' });
const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1' };

test.each<NodeJS.ProcessEnv>([
  {},
  { OTEL_SERVICE_NAME: 'x' },
  { OTEL_EXPORTER_OTLP_ENDPOINT: '' },
  { OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: 'http://127.0.0.1:1' },
  { ...endpoint, OTEL_SDK_DISABLED: 'true' },
  { ...endpoint, OTEL_TRACES_EXPORTER: 'none' },
])('traces are off with %j', async (env) => {
  expect(await startTracing(env, log)).toBeUndefined();
});

test.each<[string, NodeJS.ProcessEnv]>([
  ['OTEL_EXPORTER_OTLP_ENDPOINT', { OTEL_EXPORTER_OTLP_ENDPOINT: 'otel-collector:4318' }],
  ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', { ...endpoint, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'nothing' }],
  ['OTEL_EXPORTER_OTLP_PROTOCOL', { ...endpoint, OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' }],
  ['OTEL_EXPORTER_OTLP_TRACES_PROTOCOL', { ...endpoint, OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'http/json' }],
  ['OTEL_TRACES_EXPORTER', { ...endpoint, OTEL_TRACES_EXPORTER: 'zipkin' }],
])('%s is rejected in %j', async (name, env) => {
  await expect(startTracing(env, log)).rejects.toMatchObject({
    system: 'settings',
    message: expect.stringContaining(name),
  });
});

test('a rejected endpoint is not quoted, because it may contain a password', async () => {
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: 'ftp://user:a-password@collector/' };
  await expect(startTracing(env, log)).rejects.toMatchObject({
    system: 'settings',
    message: expect.not.stringContaining('a-password'),
  });
});
