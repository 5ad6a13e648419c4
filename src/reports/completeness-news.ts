import type { CompletenessReport, NamespaceCompleteness } from './completeness.ts';
import { LocalWeek } from '../coverage/local-week.ts';
import { verdicts, type Verdict } from '../coverage/verdict.ts';

/** A namespace whose verdict is not the one that people know. */
export interface VerdictChange {
  row: NamespaceCompleteness;
  /** Undefined: people know nothing of it yet. */
  was: string | undefined;
}

/** What of a report is worth telling. The first and the weekly one tell the whole. */
export interface CompletenessNews {
  kind: 'first' | 'weekly' | 'changes';
  /** By name; empty in the first, in which everything would be one. */
  changes: VerdictChange[];
}

export interface ToldBefore {
  /** The verdicts that people know, by namespace. */
  verdicts: ReadonlyMap<string, string>;
  /** When they last got the whole. */
  wholeAt: Date | undefined;
}

/**
 * What to tell: changes when there are some, everything once a week, even if nothing changed, and at the very first time.
 * A weekly report that was missed is told with the next one. Undefined: nothing. Pure.
 * @param reportWeekday 0 (Sunday) to 6, in the report's zone
 */
export function newsOf(
  report: CompletenessReport,
  told: ToldBefore,
  reportWeekday: number,
): CompletenessNews | undefined {
  if (report.namespaces.length === 0) return undefined;
  if (told.verdicts.size === 0) return { kind: 'first', changes: [] };
  const changes = report.namespaces
    .map((row) => ({ row, was: told.verdicts.get(row.namespace) }))
    .filter(({ row, was }) => row.verdict !== was);
  if (isWeekOver(report, told.wholeAt, reportWeekday)) return { kind: 'weekly', changes };
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

/** The changes to each verdict, in the order in which they are told; without those to which nothing changed. */
export function changesByVerdict(changes: readonly VerdictChange[]): [Verdict, VerdictChange[]][] {
  return verdicts
    .map((verdict): [Verdict, VerdictChange[]] => [
      verdict,
      changes.filter(({ row }) => row.verdict === verdict),
    ])
    .filter(([, group]) => group.length > 0);
}
