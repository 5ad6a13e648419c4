import { dayMs, hourMs, minuteMs } from '../../time/units.ts';
import { sundayFirst } from '../../time/weekdays.ts';
import { timeOfWallClock, wallClockAt, type WallClock } from '../../time/wall-clock.ts';
import { displayTimeZone } from './time-zone.ts';
import { usageFailure } from './usage-error.ts';

const unitMs: Record<string, number> = { s: 1_000, m: minuteMs, h: hourMs, d: dayMs, w: 7 * dayMs };
const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];

const clockPattern = '([01]?\\d|2[0-3]):([0-5]\\d)(?::([0-5]\\d))?';
const zonePattern = '(?: ?([A-Za-z][A-Za-z0-9+:-]*))?';
const clock = new RegExp(`^${clockPattern}${zonePattern}$`);
const relativeDay = new RegExp(`^(last )?([a-z]+)(?:,? ${clockPattern}${zonePattern})?$`, 'i');
const isoDate = new RegExp(`^(\\d{4})-(\\d\\d)-(\\d\\d)(?:[ T]${clockPattern}${zonePattern})?$`);
const namedDate = new RegExp(
  `^(?:([a-z]{3})[a-z]*,? )?(\\d{1,2}) ([a-z]{3})[a-z]*(?: (\\d{4}))?(?:,? ${clockPattern}${zonePattern})?$`,
  'i',
);

interface Reference {
  now: Date;
  timeZone: string;
}

/**
 * Reads a time: an age (`90m`, `1h30m`, `2 hours ago`); a time of day (`03:00`, `03:00 UTC`), its last occurrence; `today`,
 * `yesterday`, a weekday or `last` and a weekday, with or without a time of day; `2026-01-31` or `31 Jan 2026`, with or without
 * a time of day, in the time zone; as commands print it, with the zone's name; or ISO 8601 with an offset.
 * @throws UsageFailure
 */
export function parseSince(option: string, text: string, now: Date, timeZone = 'UTC'): Date {
  const [given, reference] = [text.trim().replaceAll(/\s+/g, ' '), { now, timeZone }];
  const time =
    ago(given, now) ??
    clockTime(given, reference) ??
    timeOnRelativeDay(given, reference) ??
    timeOnDate(given, reference) ??
    offsetTime(given);
  if (time !== undefined && !Number.isNaN(time.getTime())) return time;
  throw usageFailure(option, `"${text}" is not a time; ${cureOf(given)}`);
}

/** Reads the start of a period that ends now, in the time zone of the output. @throws UsageFailure */
export function parsePast(option: string, text: string): Date {
  const now = new Date();
  const time = parseSince(option, text, now, displayTimeZone());
  if (time > now) throw usageFailure(option, 'is in the future; use an earlier time');
  return time;
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
  return clockTime(text.trim(), { now: dayAfterStart, timeZone }) ?? parseSince(option, text, now, timeZone);
}

/**
 * Reads a time for a command that uses whole UTC days: a date alone is that UTC day; any other time is in the time zone.
 * @param timeZone default: that of the output
 * @throws UsageFailure
 */
export function parseForUtcDays(option: string, text: string, now: Date, timeZone?: string): Date {
  const isDate = /^\d{4}-\d\d-\d\d$/.test(text.trim());
  return parseSince(option, text, now, isDate ? 'UTC' : (timeZone ?? displayTimeZone()));
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

function cureOf(given: string): string {
  const slashed = /^\d{1,2}[/.]\d{1,2}[/.]\d{2,4}/.test(given);
  return slashed
    ? 'write the date as year-month-day (2026-01-31) or with the name of the month ("31 Jan 2026")'
    : 'use an age (90m, 24h, 7d) or a time (03:00, "yesterday 22:00", 2026-01-31, "2026-01-31 08:00")';
}

function ago(given: string, now: Date): Date | undefined {
  if (given.toLowerCase() === 'now') return now;
  const age = given.replace(/ ago$/i, '');
  const short = /^(?:\d+[smhdw])+$/.test(age) ? [...age.matchAll(/(\d+)([smhdw])/g)] : [];
  const long = /^(\d+) ?(secs?|seconds?|mins?|minutes?|hrs?|hours?|days?|weeks?)$/i.exec(age);
  const parts = long ? [long] : short;
  if (parts.length === 0) return undefined;
  const milliseconds = parts.reduce(
    (sum, [, count, unit = '']) => sum + Number(count) * (unitMs[unit.charAt(0).toLowerCase()] ?? Number.NaN),
    0,
  );
  return new Date(now.getTime() - milliseconds);
}

function clockTime(given: string, { now, timeZone }: Reference): Date | undefined {
  const parts = clock.exec(given);
  if (!parts) return undefined;
  const zone = parts[4];
  const dayZone = isUniversal(zone) ? 'UTC' : timeZone;
  const on = (day: Date) =>
    inZone({ ...wallClockAt(day, dayZone), ...timeOfDay(parts.slice(1, 4)) }, zone, timeZone);
  const today = on(now);
  return today && today > now ? on(new Date(now.getTime() - dayMs)) : today;
}

/** `yesterday 22:00`; a weekday is its last occurrence that is not in the future, and `last` excludes today. */
function timeOnRelativeDay(given: string, { now, timeZone }: Reference): Date | undefined {
  const [, last, word = '', ...parts] = relativeDay.exec(given) ?? [];
  const [clockParts, zone] = [parts.slice(0, 3), parts[3]];
  const today = wallClockAt(now, isUniversal(zone) ? 'UTC' : timeZone);
  // Date.UTC takes day 0 and negative days as days of the month before.
  const daysAgo = (days: number) => {
    const day = new Date(Date.UTC(today.year, today.month - 1, today.day - days));
    const date = { year: day.getUTCFullYear(), month: day.getUTCMonth() + 1, day: day.getUTCDate() };
    return inZone({ ...date, ...timeOfDay(clockParts) }, zone, timeZone);
  };
  const name = word.toLowerCase();
  if (name === 'today' && last === undefined) return daysAgo(0);
  if (name === 'yesterday' && last === undefined) return daysAgo(1);
  const weekday = weekdayOf(name);
  if (weekday === undefined) return undefined;
  const since = (new Date(Date.UTC(today.year, today.month - 1, today.day)).getUTCDay() - weekday + 7) % 7;
  const time = daysAgo(since);
  const isTooLate = time !== undefined && (time > now || (last !== undefined && since === 0));
  return isTooLate ? daysAgo(since + 7) : time;
}

/** Of a full or three-letter name: Sunday is 0. */
function weekdayOf(name: string): number | undefined {
  const index = sundayFirst.findIndex((day) => day === name || day.slice(0, 3) === name);
  return index === -1 ? undefined : index;
}

/** `2026-01-31 08:00:00 GMT` or `31 Jan 2026, 08:00`; without a year, the last such day. */
function timeOnDate(given: string, { now, timeZone }: Reference): Date | undefined {
  const iso = isoDate.exec(given);
  if (iso) {
    const [year = 0, month = 0, day = 0] = iso.slice(1, 4).map(Number);
    return inZone({ year, month, day, ...timeOfDay(iso.slice(4, 7)) }, iso[7], timeZone);
  }
  const named = namedDate.exec(given);
  const month = months.indexOf((named?.[3] ?? '').toLowerCase()) + 1;
  if (!named || month === 0) return undefined;
  const on = (year: number) =>
    inZone({ year, month, day: Number(named[2]), ...timeOfDay(named.slice(5, 8)) }, named[8], timeZone);
  const thisYear = wallClockAt(now, timeZone).year;
  const time = named[4] === undefined ? on(thisYear) : on(Number(named[4]));
  return named[4] === undefined && time && time > now ? on(thisYear - 1) : time;
}

/**
 * The time at which a clock in the zone shows this, with this name of the zone: when clocks go back, only the name tells
 * the two occurrences apart. Undefined for another zone's name: abbreviations such as CST are ambiguous.
 */
function inZone(reading: WallClock, zone: string | undefined, timeZone: string): Date | undefined {
  if (zone === undefined) return timeOfWallClock(reading, timeZone);
  if (isUniversal(zone)) return timeOfWallClock(reading, 'UTC');
  const first = timeOfWallClock(reading, timeZone);
  if (first === undefined) return undefined;
  // Clocks go back by an hour, or by half an hour (Lord Howe Island).
  return [0, 30, 60]
    .map((minutes) => new Date(first.getTime() + minutes * minuteMs))
    .find((time) => {
      const shown = wallClockAt(time, timeZone);
      return shown.zone === zone && shown.hour === reading.hour && shown.minute === reading.minute;
    });
}

function isUniversal(zone: string | undefined): boolean {
  return zone !== undefined && ['Z', 'UTC', 'GMT'].includes(zone.toUpperCase());
}

function timeOfDay([hour, minute, second]: readonly (string | undefined)[]) {
  return { hour: Number(hour ?? 0), minute: Number(minute ?? 0), second: Number(second ?? 0) };
}

function offsetTime(given: string): Date | undefined {
  return /^\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/.test(given)
    ? new Date(given.replace(' ', 'T'))
    : undefined;
}
