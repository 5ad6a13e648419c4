import { Command, Option } from 'commander';
import { readCompleteness } from '../queries/completeness.ts';
import { findUnknownNamespaces } from '../queries/unknown-names.ts';
import { systemClock } from '../time/clock.ts';
import { loadPreviewConfig } from '../config/preview-config.ts';
import type { CompletenessReport } from '../reports/completeness.ts';
import { zonedTime } from '../time/zoned-time.ts';
import { print, printOutput, printTable } from './output/output.ts';
import { parseNamespace } from './input/parse-options.ts';
import { namespaceOf } from './input/namespace-argument.ts';
import { noteUnknownNames } from './output/unknown-names.ts';
import { withDatabase } from './connect/with-database.ts';

/** Scripts may use it. */
const formerName = new Option('--namespace <namespace>', 'the former name of --ns');

interface CompletenessOptions {
  ns?: string;
  namespace?: string;
  json?: boolean;
}

export function completenessCommand(): Command {
  return new Command('completeness')
    .description('Show, per namespace, whether it was observed long enough for an allowlist to be complete.')
    .argument('[namespace]', 'same as --ns')
    .option('--ns <namespace>', 'only this namespace')
    .addOption(formerName.hideHelp().conflicts('ns'))
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
Examples:
  flow-trail completeness
  flow-trail completeness immich`,
    )
    .action(async (argument: string | undefined, { json, ...options }: CompletenessOptions) => {
      const namespace = namespaceOf(argument, options.ns ?? options.namespace);
      const { report, unknown } = await askCompleteness(namespace);
      noteUnknownNames(unknown);
      if (json === true) return printOutput('completeness', report);
      printCompleteness(report);
      if (report.namespaces.length === 0)
        print(
          namespace === undefined
            ? '(nothing has been observed yet)'
            : `(${namespace} has never been observed)`,
        );
      print(`\n${legend(report)}`);
    });
}

/** @param namespace only this one. @throws UsageFailure, ConfigFailure, DatabaseFailure */
export async function askCompleteness(namespace?: string) {
  if (namespace !== undefined) parseNamespace('--ns', namespace);
  const { jobs } = loadPreviewConfig(process.env);
  const { report, unknown } = await withDatabase(async (query) => ({
    report: await readCompleteness({ database: { query }, config: { jobs, clock: systemClock } }),
    unknown: await findUnknownNamespaces(query, [namespace]),
  }));
  const rows = report.namespaces.filter((row) => namespace === undefined || row.namespace === namespace);
  return { report: { ...report, namespaces: rows }, unknown };
}

function printCompleteness({ timeZone, namespaces }: CompletenessReport): void {
  const { minute } = zonedTime(timeZone);
  printTable(
    [
      'NAMESPACE',
      'VERDICT',
      'SINCE',
      'COVERED',
      'MISSED',
      'EDGES',
      'NEW EDGE',
      'WEEKDAYS',
      'HOURS',
      'NEVER COVERED',
    ],
    namespaces.map((row) => [
      row.namespace,
      row.verdict,
      minute(row.since),
      `${row.coveredDays.toFixed(1)} d`,
      `${row.uncoveredDays.toFixed(1)} d`,
      String(row.egressEdges),
      row.daysSinceNewEdge === null ? 'none' : `${row.daysSinceNewEdge.toFixed(1)} d ago`,
      `${row.weekdaysSeen.length} of 7`,
      `${row.hoursSeen.length} of 24`,
      row.neverCovered.join(', '),
    ]),
  );
}

function legend({
  timeZone,
  thresholds,
  trailBegan,
  coveredDays,
  uncoveredDays,
  counts,
}: CompletenessReport): string {
  const { minimumDays, stableDays, staleDays } = thresholds;
  const { exact } = zonedTime(timeZone);
  const watched =
    trailBegan === null
      ? 'the trail is empty: nothing has been merged yet'
      : `the trail began at ${exact(trailBegan)}: ${coveredDays} days covered, ${uncoveredDays} missed (flow-trail coverage --gaps)`;
  return [
    `${counts.complete} complete, ${counts.unstable} unstable, ${counts.learning} learning, ${counts.stale} stale; ${watched}`,
    '',
    'Days are covered days: settled time, excluding gaps and time that was only streamed.',
    `learning: fewer than ${minimumDays} days since first seen; unstable: a new egress edge in the last ${stableDays} days; stale: not seen for`,
    `${staleDays} days; complete: none of these. WEEKDAYS and HOURS: weekdays and hours of the day in which the namespace was the source of a flow (${timeZone}).`,
    'NEVER COVERED: hours that were never fully observed; a job that runs only then may have been missed.',
  ].join('\n');
}
