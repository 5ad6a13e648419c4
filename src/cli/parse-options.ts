import { dayMs } from '../time/units.ts';
import { isNamespaceName } from '../text/kubernetes-names.ts';
import { timeOfWallClock, wallClockAt } from '../time/wall-clock.ts';
import { usageFailure } from './usage-error.ts';

const unitMs: Record<string, number> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/**
 * Reads a time: `90m`, `24h`, `7d` ago; `03:00`, its last occurrence; `2026-01-31` or `2026-01-31 08:00` in the time
 * zone; or ISO 8601 with an offset.
 * @throws UsageFailure
 */
export function parseSince(option: string, text: string, now: Date, timeZone = 'UTC'): Date {
  const time =
    agoTime(text, now) ?? clockTime(text, now, timeZone) ?? dateTime(text, timeZone) ?? isoTime(text);
  if (time === undefined || Number.isNaN(time.getTime()))
    throw usageFailure(
      option,
      `"${text}" is not a time; use an age (90m, 24h, 7d) or a time (03:00, 2026-01-31, "2026-01-31 08:00")`,
    );
  return time;
}

function agoTime(text: string, now: Date): Date | undefined {
  const ago = /^(\d+)([smhdw])$/.exec(text);
  return ago ? new Date(now.getTime() - Number(ago[1]) * (unitMs[ago[2] ?? ''] ?? Number.NaN)) : undefined;
}

function clockTime(text: string, now: Date, timeZone: string): Date | undefined {
  const clock = /^([01]?\d|2[0-3]):([0-5]\d)$/.exec(text);
  if (!clock) return undefined;
  const on = (day: Date) =>
    timeOfWallClock(
      { ...wallClockAt(day, timeZone), hour: Number(clock[1]), minute: Number(clock[2]), second: 0 },
      timeZone,
    );
  const today = on(now);
  return today && today > now ? on(new Date(now.getTime() - dayMs)) : today;
}

function dateTime(text: string, timeZone: string): Date | undefined {
  const parts = /^(\d{4})-(\d\d)-(\d\d)(?:[ T]([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?)?$/.exec(text);
  if (!parts) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts
    .slice(1)
    .map((part) => (part === undefined ? 0 : Number(part)));
  return timeOfWallClock({ year, month, day, hour, minute, second }, timeZone);
}

function isoTime(text: string): Date | undefined {
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/.test(text)
    ? new Date(text)
    : undefined;
}

/**
 * Requires that a period ends after its start.
 * @param to undefined: now
 * @throws UsageFailure
 */
export function requireOrder(
  [fromOption, toOption]: readonly [string, string],
  { from, to, now }: { from: Date; to: Date | undefined; now: Date },
): void {
  if (from < (to ?? now)) return;
  if (to === undefined) throw usageFailure(fromOption, 'is in the future; use an earlier time');
  throw usageFailure(toOption, `is not after ${fromOption}; use a later time, with its date`);
}

/** @throws UsageFailure */
export function parseLimit(option: string, text: string): number {
  return parseWhole(option, text, '20');
}

/** @throws UsageFailure */
export function parseDays(option: string, text: string): number {
  return parseWhole(option, text, '7');
}

function parseWhole(option: string, text: string, example: string): number {
  const whole = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(whole) || whole < 1)
    throw usageFailure(option, `"${text}" is not a positive whole number; use, for example, ${example}`);
  return whole;
}

/** @throws UsageFailure */
export function parseNamespace(option: string, text: string): string {
  if (!isNamespaceName(text))
    throw usageFailure(
      option,
      `"${text}" is not a namespace name; use lower-case letters, digits and "-", at most 63 characters`,
    );
  return text;
}

interface PortFilter {
  /** Lower case, for example `tcp`; undefined for all protocols. */
  protocol: string | undefined;
  /** -1 for "many": beyond the number of distinct ports stored per pair. */
  port: number;
}

/** Reads `5432`, `udp/53` or `many`. @throws UsageFailure */
export function parsePort(option: string, text: string): PortFilter {
  const [, protocol, digits = ''] = /^(?:(tcp|udp|sctp|icmp|icmp6)\/)?(\d{1,5}|many)$/.exec(text) ?? [];
  const port = digits === 'many' ? -1 : Number(digits);
  if (digits === '' || port > 65_535)
    throw usageFailure(option, `"${text}" is not a port; use, for example, 5432, udp/53 or many`);
  return { protocol, port };
}

/**
 * Reads the end of a period: like `parseSince`, but a time of day is its first occurrence after the start.
 * @throws UsageFailure
 */
export function parseEnd(
  option: string,
  text: string,
  { start, now, timeZone }: { start: Date; now: Date; timeZone: string },
): Date {
  const dayAfterStart = new Date(start.getTime() + dayMs);
  return clockTime(text, dayAfterStart, timeZone) ?? parseSince(option, text, now, timeZone);
}
