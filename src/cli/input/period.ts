import type { Command } from 'commander';
import { periodOf } from '../../queries/allowlist.ts';
import type { Observed } from '../../coverage/observed.ts';
import { counted } from '../../text/counted.ts';
import type { DayPeriod } from '../../trail/facts/evidence.ts';
import { dayText } from '../../policy/derive/sighting.ts';
import { formatTime } from '../output/output.ts';
import { parseForUtcDays, requireOrder } from './parse-time.ts';

export interface PeriodOptions {
  since: string;
  until?: string | undefined;
  json?: boolean;
}

export function withPeriod(command: Command): Command {
  return command
    .option('--since <time>', 'start, as an age (24h, 7d) or a time; whole UTC days', '30d')
    .option('--until <time>', 'end; default: now')
    .option('--json', 'print JSON');
}

/** @throws UsageFailure */
export function readPeriod({ since, until }: Omit<PeriodOptions, 'json'>): DayPeriod {
  const now = new Date();
  const start = parseForUtcDays('--since', since, now);
  const end = until === undefined ? undefined : parseForUtcDays('--until', until, now);
  requireOrder(['--since', '--until'], { from: start, to: end, now });
  return periodOf({ since: start.toISOString(), until: (end ?? now).toISOString() });
}

/** A period as reports of facts show it. */
export function periodText({ fromDay, toDay }: DayPeriod): string {
  const [first, last] = [dayText(fromDay), dayText(toDay - 1)];
  return first === last ? `${first} (the whole UTC day)` : `${first} to ${last} (whole UTC days)`;
}

/** What was not observed in a period, as one line. */
export function observedText({ from, coveredDays, gaps, gapCount }: Observed): string {
  if (from === null) return 'Nothing was recorded in this period.';
  const [last] = gaps.slice(-1);
  const covered = `Covered: ${coveredDays.toFixed(1)} days since ${formatTime(from)}`;
  if (last === undefined) return `${covered}, without a gap.`;
  return `${covered}; not fully observed: ${counted(gapCount, 'time range')}, the last until ${formatTime(last.to)} (flow-trail coverage --gaps).`;
}

export function formatSeconds(seconds: number): string {
  return formatTime(new Date(seconds * 1000));
}
