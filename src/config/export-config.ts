import { z } from 'zod';
import { commaSeparated, wholeNumber } from './fields.ts';

/** Where flow logs are sent, and how much at once. Files are read again at every request. */
export interface ExportConfig {
  /** OTLP/HTTP endpoint for logs, used unchanged. */
  url: string;
  headersFile: string | undefined;
  /** In the form of OTEL_EXPORTER_OTLP_LOGS_HEADERS; secret. */
  headers: string | undefined;
  /** PEM files. Without `caFile`, Node's built-in CAs verify the receiver. */
  caFile: string | undefined;
  certFile: string | undefined;
  keyFile: string | undefined;
  /** Keys of the pod labels that are sent; `all` when `*` was given. */
  labels: ReadonlySet<string> | 'all';
  batchRecords: number;
  /** Before compression. A single record may be larger. */
  batchBytes: number;
  /** Real milliseconds for one request. */
  timeoutMs: number;
  compression: 'gzip' | 'none';
}

const whole = (fallback: number, min: number, max: number) => wholeNumber(min, max).default(fallback);
const file = z.string().trim().default('');
const logsPath = '/v1/logs';

export const exportEnvironment = {
  OTLP_LOGS_ENDPOINT: z
    .string()
    .trim()
    .refine(
      (value) => value === '' || isEndpoint(value),
      'must be an http:// or https:// address without user name and password; for example http://otel-collector:4318',
    )
    .default(''),
  OTLP_LOGS_HEADERS_FILE: file,
  OTEL_EXPORTER_OTLP_LOGS_HEADERS: z.string().trim().default(''),
  OTLP_LOGS_CA_FILE: file,
  OTLP_LOGS_CERT_FILE: file,
  OTLP_LOGS_KEY_FILE: file,
  OTLP_LOGS_LABELS: z
    .string()
    .trim()
    .regex(
      /^(\*|[A-Za-z0-9._/-]*( *, *[A-Za-z0-9._/-]+)*)$/,
      'must be keys of pod labels, separated by commas, for example app,team; * for all; or empty',
    )
    .default(''),
  OTLP_LOGS_BATCH_RECORDS: whole(500, 1, 5_000),
  OTLP_LOGS_BATCH_BYTES: whole(1_048_576, 65_536, 16_777_216),
  OTLP_LOGS_TIMEOUT_SECONDS: whole(10, 1, 300),
  OTLP_LOGS_COMPRESSION: z.enum(['gzip', 'none'], 'must be gzip or none').default('gzip'),
};

type ExportEnvironment = z.output<z.ZodObject<typeof exportEnvironment>>;

/** Undefined without OTLP_LOGS_ENDPOINT: nothing is exported. */
export function toExportConfig(value: ExportEnvironment): ExportConfig | undefined {
  if (value.OTLP_LOGS_ENDPOINT === '') return undefined;
  const url = new URL(value.OTLP_LOGS_ENDPOINT);
  // An endpoint without a path is a base address, as in the other OpenTelemetry variables.
  if (url.pathname === '/') url.pathname = logsPath;
  const optional = (text: string) => (text === '' ? undefined : text);
  return {
    url: url.href,
    headersFile: optional(value.OTLP_LOGS_HEADERS_FILE),
    headers: optional(value.OTEL_EXPORTER_OTLP_LOGS_HEADERS),
    caFile: optional(value.OTLP_LOGS_CA_FILE),
    certFile: optional(value.OTLP_LOGS_CERT_FILE),
    keyFile: optional(value.OTLP_LOGS_KEY_FILE),
    labels: value.OTLP_LOGS_LABELS === '*' ? 'all' : new Set(commaSeparated(value.OTLP_LOGS_LABELS)),
    batchRecords: value.OTLP_LOGS_BATCH_RECORDS,
    batchBytes: value.OTLP_LOGS_BATCH_BYTES,
    timeoutMs: value.OTLP_LOGS_TIMEOUT_SECONDS * 1_000,
    compression: value.OTLP_LOGS_COMPRESSION,
  };
}

/** Checks across several settings. Headers are secret; their values are never included. */
export function exportCrossProblems(env: NodeJS.ProcessEnv): string[] {
  const isSet = (name: string) => (env[name]?.trim() ?? '') !== '';
  const problems: string[] = [];
  if (isSet('OTLP_LOGS_HEADERS_FILE') && isSet('OTEL_EXPORTER_OTLP_LOGS_HEADERS'))
    problems.push(
      'OTLP_LOGS_HEADERS_FILE and OTEL_EXPORTER_OTLP_LOGS_HEADERS are both set; keep one of them',
    );
  if (isSet('OTLP_LOGS_CERT_FILE') !== isSet('OTLP_LOGS_KEY_FILE'))
    problems.push('OTLP_LOGS_CERT_FILE and OTLP_LOGS_KEY_FILE: only one is set; set both or neither');
  return problems;
}

function isEndpoint(value: string): boolean {
  if (!URL.canParse(value)) return false;
  const { protocol, username, password } = new URL(value);
  return /^https?:$/.test(protocol) && username === '' && password === '';
}
