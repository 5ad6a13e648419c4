import type { Command } from 'commander';
import type { ReadOptions } from '../policy/replay/manifest.ts';
import { traceFindings } from '../policy/derive/trace-findings.ts';
import type { Finding, Replayed } from '../policy/replay/replay.ts';
import { markUnknownIdentities } from '../policy/replay/unknown-identities.ts';
import { observedOf } from '../coverage/observed.ts';
import { readPeriodCoverage } from '../queries/observed-period.ts';
import { counted } from '../text/counted.ts';
import { readEvidenceAndTraces, type DayPeriod } from '../trail/facts/evidence.ts';
import { readLimitedNamespaces } from '../trail/merge/identity-overflow.ts';
import { formatTable, leftOutLines, mostRows, print } from './output/output.ts';
import { exitCodes } from './output/exit-codes.ts';
import { formatSeconds, withPeriod, type PeriodOptions } from './input/period.ts';
import { parseNamespace } from './input/parse-options.ts';
import { withDatabase } from './connect/with-database.ts';

export interface PolicyOptions extends PeriodOptions {
  namespace?: string;
  ipv6?: boolean;
  strict?: boolean;
}

/** The options of both commands; those of the period come last. */
export function withPolicyOptions(command: Command): Command {
  return withPeriod(
    command
      .option('--namespace <namespace>', 'namespace of manifests without metadata.namespace, like kubectl -n')
      .option(
        '--ipv6',
        'the cluster has IPv6 addresses; default: only if a policy or network set names an IPv6 range',
      )
      .option('--strict', 'also exit with 3 if a verdict is unknown'),
  );
}

/** @throws UsageFailure */
export function readOptions({ namespace, ipv6 }: ReadOptions): ReadOptions {
  return { namespace: namespace === undefined ? undefined : parseNamespace('--namespace', namespace), ipv6 };
}

export const misreportedTitle =
  'reported as denied by a staged policy, although staged policies deny nothing (projectcalico/calico#13410); not compared';

export async function readTracedFacts(period: DayPeriod) {
  const { facts, traced, limited, coverage } = await withDatabase(async (query) => ({
    ...(await readEvidenceAndTraces(query, period)),
    limited: await readLimitedNamespaces(query, period),
    coverage: await readPeriodCoverage(query, period, new Date()),
  }));
  return {
    evidence: markUnknownIdentities(facts, limited),
    traces: traceFindings(traced),
    observed: observedOf(coverage),
  };
}

/** The policies that the facts do not cover. */
export function printEvidence({ selected, withoutFacts }: Pick<Replayed, 'selected' | 'withoutFacts'>): void {
  if (withoutFacts.length > 0)
    print(
      `\n${counted(withoutFacts.length, 'policy applies', 'policies apply')} to no observed flow:\n${listOf(withoutFacts)}`,
    );
  if (selected === 0)
    print(
      '\nNo policy applies to any flow observed in the period, so this result is not evidence. Check the namespaces and --since.',
    );
}

function listOf(names: readonly string[]): string {
  return [...names.slice(0, mostRows).map((name) => `  ${name}`), ...leftOutLines(names.length)].join('\n');
}

export function setExitCode(
  { selected, undecided }: Pick<Replayed, 'selected' | 'undecided'>,
  { count, strict }: { count: number; strict: boolean | undefined },
): void {
  if (count > 0 || selected === 0 || (strict === true && undecided.length > 0))
    process.exitCode = exitCodes.finding;
}

export function printFindings(title: string, findings: readonly Finding[]): void {
  if (findings.length === 0) return;
  const rows = findings.map(({ direction, src, dst, port, lastSeconds, days, flowCount, by }) => [
    direction,
    src,
    dst,
    port,
    formatSeconds(lastSeconds),
    String(days),
    String(flowCount),
    by,
  ]);
  print(
    `\n${title}:\n${formatTable(['DIRECTION', 'FROM', 'TO', 'PORT', 'LAST SEEN', 'DAYS', 'FLOWS', 'BY'], rows)}`,
  );
}
