import { Command } from 'commander';
import { describeSubject } from '../policy/derive/describe-ends.ts';
import {
  isEvidenceForEnforcing,
  passedByOthers,
  stagedDays,
  stagedVerdicts,
  type DecidedByOther,
  type VerdictDifference,
} from '../policy/derive/staged.ts';
import { loadPreviewConfig } from '../config/preview-config.ts';
import { observedOf } from '../coverage/observed.ts';
import { requiredDays } from '../coverage/verdict.ts';
import { readPeriodCoverage } from '../queries/observed-period.ts';
import { findUnknownNamespaces } from '../queries/unknown-names.ts';
import { counted, formatCount } from '../text/counted.ts';
import { readTracedEvidence } from '../trail/facts/evidence.ts';
import { formatTable, print, printOutput } from './output/output.ts';
import { withLastSeen, withSeenTimes } from './output/seen-times.ts';
import { exitCodes } from './output/exit-codes.ts';
import {
  formatSeconds,
  observedText,
  periodText,
  readPeriod,
  withPeriod,
  type PeriodOptions,
} from './input/period.ts';
import { noteUnknownNames } from './output/unknown-names.ts';
import { withDatabase } from './connect/with-database.ts';

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
      const found = await askStaged(question);
      if (json === true) printOutput('staged', stagedAnswer(found));
      else printVerdicts(found);
      noteUnknownNames(found.unknown);
      if (!found.isEvidence) process.exitCode = exitCodes.finding;
    });
}

/** @throws UsageFailure, DatabaseFailure */
export async function askStaged({ src, dst, ...times }: StagedQuestion) {
  const period = readPeriod(times);
  const ends = {
    ...(src === undefined ? {} : { srcNs: src }),
    ...(dst === undefined ? {} : { dstNs: dst }),
  };
  const minimumDays = requiredDays(loadPreviewConfig(process.env).jobs.completeness);
  const { traced, coverage, unknown } = await withDatabase(async (query) => ({
    traced: await readTracedEvidence(query, { ...period, ...ends }),
    coverage: await readPeriodCoverage(query, period, new Date()),
    unknown: await findUnknownNamespaces(query, [src, dst]),
  }));
  const verdicts = stagedVerdicts(traced);
  return {
    verdicts,
    isEvidence: isEvidenceForEnforcing(verdicts, { coverage, minimumDays }),
    minimumDays,
    stagedFor: stagedDays(verdicts, coverage),
    observed: observedOf(coverage),
    unknown,
    period,
  };
}

type FoundStaged = Awaited<ReturnType<typeof askStaged>>;

export function stagedAnswer({
  verdicts: { disagreements, decidedByOthers, withoutStaged, decidedBetween: _decidedBetween, ...verdicts },
  isEvidence,
  minimumDays,
  stagedFor,
  observed,
  unknown,
}: FoundStaged) {
  return {
    isEvidence,
    neverSeen: unknown.map(({ name }) => name),
    observed,
    minimumDays,
    stagedFor: stagedFor.map(withSeenTimes),
    ...verdicts,
    disagreements: disagreements.map(withSeenTimes),
    decidedByOthers: decidedByOthers.map(withLastSeen),
    withoutStaged: withoutStaged.map(withSeenTimes),
  };
}

function printVerdicts(found: FoundStaged): void {
  const { verdicts } = found;
  const { disagreements, decided, agreeing, decidedByOthers, withoutStaged, enforcedByStaged, unknown } =
    verdicts;
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
  print(`Period: ${periodText(found.period)}.`);
  print(observedText(found.observed));
  print(`\n${conclusion(found)}`);
}

function conclusion({ verdicts, isEvidence, minimumDays, stagedFor }: FoundStaged): string {
  if (isEvidence) return 'Enforcing the staged policies would have denied none of these flows.';
  if (verdicts.decided === 0)
    return 'No staged policy decided any flow in this period, so there is no evidence that enforcing is safe.';
  if (verdicts.disagreements.some(({ pending }) => pending === 'deny'))
    return 'Enforcing the staged policies would have denied flows that are allowed.';
  if (passedByOthers(verdicts).length > 0)
    return 'This is not evidence that enforcing is safe: other policies allow flows that the staged policies do not cover.';
  if (verdicts.unknownBesideStaged > 0)
    return `This is not evidence that enforcing is safe: the verdict of the staged policies on ${counted(verdicts.unknownBesideStaged, 'allowed flow')} is unknown, because a fact stores at most 16 policy traces.`;
  const tooShort = stagedFor
    .filter(({ coveredDays }) => coveredDays < minimumDays)
    .map(
      ({ namespace, direction, coveredDays, firstSeconds }) =>
        `${describeSubject(direction, namespace)} has ${coveredDays.toFixed(1)}, since ${formatSeconds(firstSeconds)}`,
    );
  const [shortest = '', ...others] = tooShort;
  return `Not enough evidence yet: ${minimumDays} covered days are required between the first and the last flow that staged policies decided. ${shortest}${
    others.length > 0 ? `; ${others.length} more have too few` : ''
  }. If the policies were staged before that, use an earlier --since.`;
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
