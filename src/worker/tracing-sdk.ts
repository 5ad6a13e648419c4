import { trace, diag, DiagLogLevel } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { detectResourcesSync, envDetectorSync, Resource } from '@opentelemetry/resources';
import {
  BatchSpanProcessor,
  NodeTracerProvider,
  type ReadableSpan,
  type SpanProcessor,
} from '@opentelemetry/sdk-trace-node';
import { ApplicationFailure } from '@temporalio/common';
import { OpenTelemetryWorkflowClientInterceptor } from '@temporalio/interceptors-opentelemetry/lib/client/index.js';
import {
  makeWorkflowExporter,
  OpenTelemetryActivityInboundInterceptor,
} from '@temporalio/interceptors-opentelemetry/lib/worker/index.js';
import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import type { Logger } from 'pino';
import type { Tracing } from './tracing.ts';

const serviceName = 'goldmane-flow-trail';

/**
 * The libraries read the other OTEL_* variables (headers, timeouts, batches, sampler, resource attributes) themselves.
 */
export function createTracing(log: Logger): Tracing {
  diag.setLogger(
    {
      error: (message) => log.warn({ reason: message.slice(0, 500) }, 'Tracing: spans cannot be sent'),
      warn: (message) => log.warn({ reason: message.slice(0, 500) }, 'Tracing: a setting is ignored'),
      info() {},
      debug() {},
      verbose() {},
    },
    DiagLogLevel.WARN,
  );
  const resource = new Resource({ 'service.name': serviceName }).merge(
    detectResourcesSync({ detectors: [envDetectorSync] }),
  );
  const processor = new OnlyIds(new BatchSpanProcessor(new OTLPTraceExporter()));
  const provider = new NodeTracerProvider({ resource, spanProcessors: [processor] });
  provider.register();
  const client = new OpenTelemetryWorkflowClientInterceptor();
  return {
    // Queries and descriptions come from the control loop, twice a minute.
    client: {
      startWithDetails: (input, next) => client.startWithDetails(input, next),
      signal: (input, next) => client.signal(input, next),
    },
    activities: [
      (context) => ({ inbound: new OpenTelemetryActivityInboundInterceptor(context) }),
      nameErrors,
    ],
    sinks: { exporter: makeWorkflowExporter(processor, resource) },
    shutdown: () => provider.shutdown(),
  };
}

/** Marks the span with the kind of the failure, for example `goldmane_dns`. */
const nameErrors: ActivityInterceptorsFactory = () => ({
  inbound: {
    async execute(input, next) {
      try {
        return await next(input);
      } catch (error) {
        const type = error instanceof ApplicationFailure ? error.type : undefined;
        trace
          .getActiveSpan()
          ?.setAttribute('error.type', type ?? (error instanceof Error ? error.name : 'unknown'));
        throw error;
      }
    },
  },
});

/**
 * The interceptors' attributes, and the workflow info attributes that name runs. All others (memo, arguments) are not
 * exported.
 */
const keptAttributes: ReadonlySet<string> = new Set([
  'temporalWorkflowId',
  'temporalActivityId',
  'run_id',
  'workflowId',
  'workflowType',
  'runId',
  'namespace',
  'taskQueue',
  'attempt',
  'error.type',
]);

/** Exports spans without attributes that may contain names from the cluster: error messages and stacks, memos. */
class OnlyIds implements SpanProcessor {
  readonly #next: SpanProcessor;

  constructor(next: SpanProcessor) {
    this.#next = next;
  }

  onStart(...args: Parameters<SpanProcessor['onStart']>): void {
    this.#next.onStart(...args);
  }

  onEnd(span: ReadableSpan): void {
    delete span.status.message;
    for (const name of Object.keys(span.attributes))
      if (!keptAttributes.has(name)) delete span.attributes[name];
    const kept = span.events.filter(({ name }) => name !== 'exception');
    span.events.splice(0, span.events.length, ...kept);
    this.#next.onEnd(span);
  }

  forceFlush(): Promise<void> {
    return this.#next.forceFlush();
  }

  shutdown(): Promise<void> {
    return this.#next.shutdown();
  }
}
