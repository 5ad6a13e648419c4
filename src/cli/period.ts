import type { Command } from 'commander';
import { periodOf } from '../queries/allowlist.ts';
import type { DayPeriod } from '../trail/evidence.ts';
import { formatTime } from './output.ts';
import { parseSince } from './parse-options.ts';

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
  const end = until === undefined ? now : parseSince('--until', until, now);
  return periodOf({ since: parseSince('--since', since, now).toISOString(), until: end.toISOString() });
}

export function formatSeconds(seconds: number): string {
  return formatTime(new Date(seconds * 1000));
}
