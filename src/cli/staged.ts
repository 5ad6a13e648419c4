import { Command } from 'commander';
import { describeSubject } from '../policy/derive/describe.ts';
import {
  isEvidenceForEnforcing,
  passedByOthers,
  stagedVerdicts,
  type DecidedByOther,
  type StagedVerdicts,
  type VerdictDifference,
} from '../policy/derive/staged.ts';
import { counted, formatCount } from '../text/counted.ts';
import { readTracedEvidence } from '../trail/evidence.ts';
import { seenNamespaces } from '../trail/seen-namespaces.ts';
import { formatTable, print, printOutput } from './output.ts';
import { withLastSeen, withSeenTimes } from './json-times.ts';
import { exitCodes } from './exit-codes.ts';
import { formatSeconds, readPeriod, withPeriod, type PeriodOptions } from './period.ts';
import { withDatabase } from './with-database.ts';

const shownPolicies = 20;

type StagedQuestion = Omit<PeriodOptions, 'json'> & { src?: string | undefined; dst?: string | undefined };

export function stagedCommand(): Command {
  return withPeriod(
    new Command('staged')
      .description(
        'Compare the verdicts of staged policies with those enforced; exits with 3 unless the result is evidence that enforcing is safe.',
      )
      .option('--src <namespace>', 'only flows from this namespace')
      .option('--dst <namespace>', 'only flows to this namespace'),
  )
    .addHelpText(
      'after',
      `
Examples:
  flow-trail staged --since 14d
  flow-trail staged --src immich --json`,
    )
    .action(async ({ json, ...question }: StagedQuestion & { json?: boolean }) => {
      const { verdicts, ...judged } = await askStaged(question);
      if (json === true) printOutput('staged', stagedAnswer(verdicts, judged));
      else printVerdicts(verdicts, judged);
      if (!judged.isEvidence) process.exitCode = exitCodes.finding;
    });
}

/** @throws UsageFailure, DatabaseFailure */
export async function askStaged({ src, dst, ...times }: StagedQuestion) {
  const period = readPeriod(times);
  const ends = {
    ...(src === undefined ? {} : { srcNs: src }),
    ...(dst === undefined ? {} : { dstNs: dst }),
  };
  const asked = [src, dst].filter((name) => name !== undefined);
  const { traced, seen } = await withDatabase(async (query) => ({
    traced: await readTracedEvidence(query, { ...period, ...ends }),
    seen: await seenNamespaces(query, asked),
  }));
  const neverSeen = asked.filter((name) => !seen.includes(name));
  const verdicts = stagedVerdicts(traced);
  return { verdicts, isEvidence: isEvidenceForEnforcing(verdicts), neverSeen };
}

export function stagedAnswer(
  { disagreements, decidedByOthers, withoutStaged, ...verdicts }: StagedVerdicts,
  judged: { isEvidence: boolean; neverSeen: readonly string[] },
) {
  return {
    ...judged,
    ...verdicts,
    disagreements: disagreements.map(withSeenTimes),
    decidedByOthers: decidedByOthers.map(withLastSeen),
    withoutStaged: withoutStaged.map(withSeenTimes),
  };
}

function printVerdicts(
  verdicts: StagedVerdicts,
  { isEvidence, neverSeen }: { isEvidence: boolean; neverSeen: readonly string[] },
): void {
  const { disagreements, decided, agreeing, decidedByOthers, withoutStaged, enforcedByStaged, unknown } =
    verdicts;
  for (const name of neverSeen) print(`Namespace ${name} has never been seen in a flow; check the spelling.`);
  if (disagreements.length > 0)
    print(`Flows for which staged policies reach a different verdict:\n${differenceTable(disagreements)}\n`);
  const passed = passedByOthers(verdicts);
  if (passed.length > 0)
    print(
      `Other policies allow flows that the staged policies do not cover; while those policies exist, enforcing denies none of these flows:\n${otherTable(passed)}\n`,
    );
  if (withoutStaged.length > 0)
    print(
      `The pending verdict differs, but no staged policy is involved, so this says nothing about the staged policies:\n${differenceTable(withoutStaged)}\n`,
    );
  for (const { policy, flowCount } of enforcedByStaged)
    print(
      `${counted(flowCount, 'flow')} reported ${policy} as the enforced verdict, although staged policies enforce nothing (projectcalico/calico#13410); not counted.`,
    );
  print(
    `Staged policies decided ${counted(decided, 'flow')}: ${formatCount(agreeing)} with the enforced verdict, ${formatCount(decided - agreeing)} with a different one.`,
  );
  if (unknown > 0) print(`${counted(unknown, 'flow')} whose policy trace has no verdict.`);
  if (decided === 0 && decidedByOthers.length > 0)
    print(`\nPolicies that decide these flows instead:\n${otherTable(decidedByOthers)}`);
  print(`\n${conclusion(verdicts, isEvidence)}`);
}

function conclusion(verdicts: StagedVerdicts, isEvidence: boolean): string {
  if (isEvidence) return 'Enforcing the staged policies would have denied none of these flows.';
  if (verdicts.decided === 0)
    return 'No staged policy decided any flow in this period, so there is no evidence that enforcing is safe.';
  if (verdicts.disagreements.some(({ pending }) => pending === 'deny'))
    return 'Enforcing the staged policies would have denied flows that are allowed.';
  return 'This is not evidence that enforcing is safe: other policies allow flows that the staged policies do not cover.';
}

function differenceTable(entries: readonly VerdictDifference[]): string {
  return formatTable(
    ['FROM', 'TO', 'PORT', 'REPORTER', 'ENFORCED', 'STAGED', 'FIRST SEEN', 'LAST SEEN', 'FLOWS', 'BY'],
    entries.map((entry) => [
      entry.src,
      entry.dst,
      entry.port,
      entry.reporter,
      entry.enforced,
      entry.pending,
      formatSeconds(entry.firstSeconds),
      formatSeconds(entry.lastSeconds),
      String(entry.flowCount),
      entry.by,
    ]),
  );
}

function otherTable(entries: readonly DecidedByOther[]): string {
  const rest = entries.length - shownPolicies;
  const table = formatTable(
    ['DIRECTION', 'ACTION', 'LAST SEEN', 'FLOWS', 'BY'],
    entries
      .slice(0, shownPolicies)
      .map(({ namespace, direction, action, lastSeconds, flowCount, policy }) => [
        describeSubject(direction, namespace),
        action,
        formatSeconds(lastSeconds),
        String(flowCount),
        policy,
      ]),
  );
  return rest > 0 ? `${table}\n(and ${rest} more)` : table;
}
