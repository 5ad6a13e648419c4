import { Command } from 'commander';
import type { ReadOptions } from '../policy/replay/manifest.ts';
import { traceFindings } from '../policy/derive/trace-findings.ts';
import { drift, type Unused } from '../policy/replay/drift.ts';
import { replay, type Finding, type Replayed } from '../policy/replay/replay.ts';
import { markUnknownIdentities } from '../policy/replay/unknown-identities.ts';
import { observedOf, type Observed } from '../coverage/observed.ts';
import { readPeriodCoverage } from '../queries/observed-period.ts';
import { counted } from '../text/counted.ts';
import { readEvidenceAndTraces, type DayPeriod } from '../trail/facts/evidence.ts';
import { readLimitedNamespaces } from '../trail/merge/identity-overflow.ts';
import { formatTable, leftOutLines, mostRows, print, printOutput } from './output/output.ts';
import { withSeenTimes } from './output/seen-times.ts';
import { exitCodes } from './output/exit-codes.ts';
import {
  formatSeconds,
  observedText,
  periodText,
  readPeriod,
  withPeriod,
  type PeriodOptions,
} from './input/period.ts';
import { parseNamespace } from './input/parse-options.ts';
import { readPolicies } from './input/policy-files.ts';
import { withDatabase } from './connect/with-database.ts';

interface PolicyOptions extends PeriodOptions {
  namespace?: string;
  ipv6?: boolean;
  strict?: boolean;
}

/** The options of both commands; those of the period come last. */
function withPolicyOptions(command: Command): Command {
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

export function replayCommand(): Command {
  return withPolicyOptions(
    new Command('replay')
      .description('Show what a set of policies would have denied, and what it would newly allow.')
      .argument('<path>', 'a policy file, or a folder of them; staged policies count as enforced'),
  )
    .addHelpText(
      'after',
      `
Exit codes: 0 nothing would be denied, 3 something would be denied, or no policy
selects an observed flow (with --strict: or a verdict is unknown).
Reads the output of kubectl get -o yaml and calicoctl get -o yaml, kustomizations,
Namespaces, NetworkSets, Tiers and cluster-wide policies; ignores other kinds.

Examples:
  flow-trail replay policies/
  kubectl get networkpolicy -A -o yaml > now.yaml
  flow-trail replay now.yaml --strict`,
    )
    .action(async (path: string, { json, strict, namespace, ipv6, ...times }: PolicyOptions) => {
      const period = readPeriod(times);
      const policies = await readPolicies(path, readOptions({ namespace, ipv6 }));
      const result = await askReplay(policies, period);
      if (json === true) printOutput('replay', replayAnswer(result));
      else {
        print(`${result.facts} facts replayed, ${periodText(period)}. ${observedText(result.observed)}`);
        printFindings('would be denied, but was allowed', result.wouldDeny);
        printFindings('would be allowed, but was denied', result.wouldAllow);
        printFindings('unknown verdict', result.undecided);
        printFindings(misreportedTitle, result.misreported);
        if (result.unselectedDenied > 0)
          print(
            `\nNot subject to any policy in the set, so nothing would deny them: ${counted(result.unselectedDenied, 'denied fact')}`,
          );
        print(
          `\n${result.wouldDeny.length} would be denied, ${result.wouldAllow.length} newly allowed, ${result.undecided.length} unknown`,
        );
        printEvidence(result);
      }
      setExitCode(result, { count: result.wouldDeny.length, strict });
    });
}

/** @throws UsageFailure */
function readOptions({ namespace, ipv6 }: ReadOptions): ReadOptions {
  return { namespace: namespace === undefined ? undefined : parseNamespace('--namespace', namespace), ipv6 };
}

/** Evaluates the compiled policies against the flows observed in the period. @throws DatabaseFailure */
export async function askReplay(
  policies: Parameters<typeof replay>[0],
  period: DayPeriod,
): Promise<Replayed & { observed: Observed }> {
  const { evidence, traces, observed } = await readTracedFacts(period);
  return { observed, ...replay(policies, evidence, traces) };
}

export function replayAnswer(result: Replayed & { observed: Observed }) {
  return {
    ...result,
    wouldDeny: result.wouldDeny.map(withSeenTimes),
    wouldAllow: result.wouldAllow.map(withSeenTimes),
    undecided: result.undecided.map(withSeenTimes),
    misreported: result.misreported.map(withSeenTimes),
  };
}

export function driftCommand(): Command {
  return withPolicyOptions(
    new Command('drift')
      .description('Show unused allow rules, and used connections that the policies do not allow.')
      .argument('<path>', 'a policy file, or a folder of them'),
  )
    .addHelpText(
      'after',
      `
Exit codes: 0 all used connections are allowed, 3 some are not, or no policy
selects an observed flow (with --strict: or a verdict is unknown).

Example:
  flow-trail drift policies/ --since 30d`,
    )
    .action(async (path: string, { json, strict, namespace, ipv6, ...times }: PolicyOptions) => {
      const period = readPeriod(times);
      const policies = await readPolicies(path, readOptions({ namespace, ipv6 }));
      const { evidence, traces, observed } = await readTracedFacts(period);
      const result = drift(policies, evidence, traces);
      if (json === true)
        printOutput('drift', {
          observed,
          ...result,
          notAllowed: result.notAllowed.map(withSeenTimes),
          undecided: result.undecided.map(withSeenTimes),
          misreported: result.misreported.map(withSeenTimes),
        });
      else {
        print(`${result.facts} facts compared, ${periodText(period)}. ${observedText(observed)}`);
        printUnused('allowed, but never used in the period', result.unused);
        printUnused('allowed; use unknown', result.perhapsUnused);
        printFindings('used, but not allowed', result.notAllowed);
        printFindings('used; verdict unknown', result.undecided);
        printFindings(misreportedTitle, result.misreported);
        print(
          `\n${result.unused.length} unused, ${result.perhapsUnused.length} perhaps unused, ${result.notAllowed.length} used and not allowed, ${result.undecided.length} used with unknown verdict`,
        );
        printEvidence(result);
      }
      setExitCode(result, { count: result.notAllowed.length, strict });
    });
}

const misreportedTitle =
  'reported as denied by a staged policy, although staged policies deny nothing (projectcalico/calico#13410); not compared';

async function readTracedFacts(period: DayPeriod) {
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
function printEvidence({ selected, withoutFacts }: Pick<Replayed, 'selected' | 'withoutFacts'>): void {
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

function setExitCode(
  { selected, undecided }: Pick<Replayed, 'selected' | 'undecided'>,
  { count, strict }: { count: number; strict: boolean | undefined },
): void {
  if (count > 0 || selected === 0 || (strict === true && undecided.length > 0))
    process.exitCode = exitCodes.finding;
}

function printFindings(title: string, findings: readonly Finding[]): void {
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

function printUnused(title: string, entries: readonly Unused[]): void {
  if (entries.length === 0) return;
  print(
    `\n${title}:\n${formatTable(
      ['POLICY', 'RULE'],
      entries.map(({ policy, rule }) => [policy, rule]),
    )}`,
  );
}
