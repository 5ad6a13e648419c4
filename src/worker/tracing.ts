import type { WorkflowClientInterceptor } from '@temporalio/client';
import type { ActivityInterceptorsFactory, InjectedSinks } from '@temporalio/worker';
import type { Logger } from 'pino';
import { configFailure } from '../config/config-failure.ts';

/** The plugins that client and workers need to record spans. */
export interface Tracing {
  readonly client: WorkflowClientInterceptor;
  readonly activities: readonly ActivityInterceptorsFactory[];
  readonly sinks: InjectedSinks<{ exporter: { export(spans: unknown[]): void } }>;
  /** Sends recorded spans and stops. */
  shutdown(): Promise<void>;
}

/**
 * Starts OpenTelemetry tracing if its standard variables enable it: OTEL_EXPORTER_OTLP_ENDPOINT or
 * OTEL_EXPORTER_OTLP_TRACES_ENDPOINT is set, OTEL_SDK_DISABLED is not `true` and OTEL_TRACES_EXPORTER is not `none`.
 * The libraries are loaded only in that case.
 * @throws ConfigFailure
 */
export async function startTracing(env: NodeJS.ProcessEnv, log: Logger): Promise<Tracing | undefined> {
  if (!isEnabled(env)) return undefined;
  const { createTracing } = await import('./tracing-sdk.ts');
  return createTracing(log);
}

function isEnabled(env: NodeJS.ProcessEnv): boolean {
  const valueOf = (name: string) => env[name]?.trim() ?? '';
  if (valueOf('OTEL_SDK_DISABLED').toLowerCase() === 'true') return false;
  const [name, endpoint] = ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'OTEL_EXPORTER_OTLP_ENDPOINT']
    .map((each): [string, string] => [each, valueOf(each)])
    .find(([, value]) => value !== '') ?? ['', ''];
  const exporter = valueOf('OTEL_TRACES_EXPORTER');
  if (endpoint === '' || exporter === 'none') return false;
  const problems: string[] = [];
  if (!URL.canParse(endpoint) || !/^https?:$/.test(new URL(endpoint).protocol))
    problems.push(
      // The value may contain a password.
      `${name} is not an http:// or https:// address; for example http://otel-collector:4318`,
    );
  if (!['', 'otlp'].includes(exporter))
    problems.push(`OTEL_TRACES_EXPORTER "${exporter}" is not supported; set it to otlp or none`);
  for (const variable of ['OTEL_EXPORTER_OTLP_TRACES_PROTOCOL', 'OTEL_EXPORTER_OTLP_PROTOCOL'])
    if (!['', 'http/protobuf'].includes(valueOf(variable)))
      problems.push(
        `${variable} "${valueOf(variable)}" is not supported; set it to http/protobuf and the endpoint to the collector's port for it, usually 4318; to run without traces, set OTEL_SDK_DISABLED=true`,
      );
  if (problems.length > 0) throw configFailure(problems);
  return true;
}
