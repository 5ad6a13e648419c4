import type { CompletenessReport, NamespaceCompleteness } from './completeness.ts';
import { LocalWeek } from '../coverage/local-week.ts';
import { verdicts, type Verdict } from '../coverage/verdict.ts';

/** A namespace whose verdict differs from the last one posted. */
export interface VerdictChange {
  row: NamespaceCompleteness;
  /** The last verdict posted; undefined for a new namespace. */
  was: string | undefined;
}

/** The part of a report to post. `first` and `weekly` are full reports. */
export interface CompletenessNews {
  kind: 'first' | 'weekly' | 'changes';
  /** By name; empty in the first report. */
  changes: VerdictChange[];
}

interface PostedBefore {
  /** The last verdict posted, by namespace. */
  verdicts: ReadonlyMap<string, string>;
  /** Time of the last full report. */
  wholeAt: Date | undefined;
}

/**
 * Selects what to post: a full report the first time and once a week, otherwise the changes. A missed weekly report is
 * posted with the next run. Undefined if there is nothing to post. Pure.
 * @param reportWeekday 0 (Sunday) to 6, in the report's zone
 */
export function newsOf(
  report: CompletenessReport,
  posted: PostedBefore,
  reportWeekday: number,
): CompletenessNews | undefined {
  if (report.namespaces.length === 0) return undefined;
  if (posted.verdicts.size === 0) return { kind: 'first', changes: [] };
  const changes = report.namespaces
    .map((row) => ({ row, was: posted.verdicts.get(row.namespace) }))
    .filter(({ row, was }) => row.verdict !== was);
  if (isWeekOver(report, posted.wholeAt, reportWeekday)) return { kind: 'weekly', changes };
  return changes.length > 0 ? { kind: 'changes', changes } : undefined;
}

function isWeekOver(
  { madeAt, timeZone }: CompletenessReport,
  wholeAt: Date | undefined,
  reportWeekday: number,
): boolean {
  if (wholeAt === undefined) return true;
  const week = new LocalWeek(timeZone);
  const now = madeAt.getTime() / 1000;
  const mondayBased = (reportWeekday + 6) % 7;
  const daysSinceDue = (week.weekday(now) - mondayBased + 7) % 7;
  return week.date(wholeAt.getTime() / 1000) < week.date(now) - daysSinceDue;
}

/** The changes grouped by new verdict, in the order of `verdicts`, without empty groups. */
export function changesByVerdict(changes: readonly VerdictChange[]): [Verdict, VerdictChange[]][] {
  return verdicts
    .map((verdict): [Verdict, VerdictChange[]] => [
      verdict,
      changes.filter(({ row }) => row.verdict === verdict),
    ])
    .filter(([, group]) => group.length > 0);
}
