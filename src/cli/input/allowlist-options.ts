import { parseAllowlistInput, type AllowlistInput } from '../../policy/derive/input.ts';
import { parseForUtcDays } from './parse-time.ts';
import { usageFailure, usageFailures } from './usage-error.ts';

/** Options of `flow-trail allowlist derive`, as commander reads them. */
export interface DeriveArguments {
  since?: string | undefined;
  until?: string | undefined;
  direction: string;
  format: string;
  minimumDays: string;
  externals: boolean;
  identities: boolean;
  allPorts?: boolean | undefined;
  baseline?: string | undefined;
  dnsAddress?: string[];
  tier?: string | undefined;
  order?: string | undefined;
}

export const baselines = ['dns', 'databases', 'redis'] as const;

/** The options as the workflow's input. @throws UsageFailure */
export function allowlistInput(
  namespaces: readonly string[],
  options: DeriveArguments,
  now: Date,
): AllowlistInput & { until: string } {
  const switched = (options.baseline ?? '').split(',').filter((name) => name !== '');
  const unknown = switched.find((name) => !baselines.some((each) => each === name));
  if (unknown !== undefined)
    throw usageFailure(
      '--baseline',
      `cannot contain "${unknown}"; use a comma-separated list of ${baselines.join(', ')}`,
    );
  const until = (
    options.until === undefined ? now : parseForUtcDays('--until', options.until, now)
  ).toISOString();
  const parsed = parseAllowlistInput({
    ...(namespaces.length > 0 ? { namespaces } : {}),
    ...(options.since === undefined
      ? {}
      : { since: parseForUtcDays('--since', options.since, now).toISOString() }),
    ...(options.until === undefined ? {} : { until }),
    direction: options.direction,
    format: options.format,
    minimumCoveredDays: Number(options.minimumDays),
    includeExternals: options.externals,
    includeIdentities: options.identities,
    allowManyPorts: options.allPorts ?? false,
    baseline: {
      dns: switched.includes('dns'),
      dnsAddresses: options.dnsAddress ?? [],
      databases: switched.includes('databases'),
      redis: switched.includes('redis'),
    },
    ...(options.tier === undefined ? {} : { tier: options.tier }),
    ...(options.order === undefined ? {} : { order: Number(options.order) }),
  });
  if ('problems' in parsed) throw usageFailures(parsed.problems.map(withOptionName));
  return { ...parsed.input, until };
}

/** A problem of the input, with the option of the command line instead of the input's field. */
function withOptionName(problem: string): string {
  return problem
    .replace(/^minimumCoveredDays\b/, '--minimum-days')
    .replace(/^until is not after since/, '--until is not after --since')
    .replace(/^(since|until|direction|format|tier|order)\b/, '--$1')
    .replace(/^baseline\.dnsAddresses\.\d+/, '--dns-address')
    .replace(/^namespaces\.\d+ /, '');
}

/** The pod label with the service identity, as the worker reads it. */
export function identityLabel(): string {
  return process.env['SERVICE_IDENTITY_LABEL'] ?? 'service-identity';
}
