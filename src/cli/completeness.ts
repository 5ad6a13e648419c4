import { Command } from 'commander';
import { readCompleteness } from '../queries/completeness.ts';
import { systemClock } from '../time/clock.ts';
import { loadReportConfig } from '../config/config.ts';
import type { CompletenessReport, NamespaceCompleteness } from '../reports/completeness.ts';
import { zonedTime } from '../time/zoned-time.ts';
import { formatTable, print, printJson } from './output.ts';
import { withDatabase } from './with-database.ts';

export function completenessCommand(): Command {
  return new Command('completeness')
    .description('whether an allowlist from what was observed would be complete, per namespace')
    .option('--namespace <namespace>', 'only this one')
    .option('--json', 'as JSON')
    .action(async ({ namespace, json }: { namespace?: string; json?: boolean }) => {
      const { jobs } = loadReportConfig(process.env);
      const report = await withDatabase((query) =>
        readCompleteness({ database: { query }, config: { jobs, clock: systemClock } }),
      );
      const rows = report.namespaces.filter((row) => namespace === undefined || row.namespace === namespace);
      if (json === true) return printJson({ ...report, namespaces: rows });
      print(table(report, rows));
      if (rows.length === 0)
        print(namespace === undefined ? '(nothing was observed yet)' : `(${namespace} was never observed)`);
      print(`\n${legend(report)}`);
    });
}

function table({ timeZone }: CompletenessReport, rows: readonly NamespaceCompleteness[]): string {
  const { minute } = zonedTime(timeZone);
  return formatTable(
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
    rows.map((row) => [
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
      ? 'the trail has not begun: nothing was merged yet'
      : `the trail began at ${exact(trailBegan)}: ${coveredDays} days covered, ${uncoveredDays} missed (flow-trail coverage --gaps)`;
  return [
    `${counts.complete} complete, ${counts.unstable} unstable, ${counts.learning} learning, ${counts.stale} stale; ${watched}`,
    '',
    `Days are covered days: time that was asked for at rest, net of gaps and of what was only streamed. learning: fewer than`,
    `${minimumDays} since it was first seen · unstable: a new egress edge in the last ${stableDays} · stale: not seen for ${staleDays} · complete: none of`,
    `these. WEEKDAYS, HOURS: in which it was the source of a flow (${timeZone}). NEVER COVERED: a job that runs then cannot`,
    'have been seen.',
  ].join('\n');
}
