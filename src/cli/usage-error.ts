import { Failure, isFailureOf } from '../failure/failure.ts';

/** An option or argument cannot be used; the message names it and says what to give instead. */
export function usageFailure(option: string, problem: string): Failure<'command'> {
  const [what = '', ...cure] = `${option} ${problem}`.split('; ');
  return new Failure({ system: 'command', kind: 'usage', what, cure: cure.join('; '), retryable: false });
}

export function isUsageFailure(error: unknown): error is Failure<'command'> {
  return isFailureOf('command', error);
}

const units: Record<string, number> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/** Reads `90m`, `24h`, `7d` as that long ago, or an ISO 8601 time. @throws UsageFailure */
export function parseSince(option: string, text: string, now: Date): Date {
  const ago = /^(\d+)([smhdw])$/.exec(text);
  const unit = units[ago?.[2] ?? ''];
  const since = ago && unit ? new Date(now.getTime() - Number(ago[1]) * unit) : new Date(text);
  if (Number.isNaN(since.getTime()) || (!ago && !/^\d{4}-\d{2}-\d{2}/.test(text)))
    throw usageFailure(
      option,
      `cannot be "${text}"; give how long ago (90m, 24h, 7d) or a time (2026-01-31T08:00Z)`,
    );
  return since;
}

/** @throws UsageFailure */
export function parseLimit(option: string, text: string): number {
  const limit = Number(text);
  if (!Number.isSafeInteger(limit) || limit < 1)
    throw usageFailure(option, `cannot be "${text}"; give a whole number from 1`);
  return limit;
}
