import { dayMs } from './units.ts';

export interface WallClock {
  year: number;
  /** 1 to 12. */
  month: number;
  day: number;
  hour: number;
  minute: number;
  second: number;
}

const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(timeZone: string): Intl.DateTimeFormat {
  let format = formats.get(timeZone);
  if (!format) {
    format = new Intl.DateTimeFormat('en-GB', {
      timeZone,
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
      hourCycle: 'h23',
      timeZoneName: 'short',
    });
    formats.set(timeZone, format);
  }
  return format;
}

/** The wall-clock time in the zone at a given time. @param timeZone an IANA name */
export function wallClockAt(time: Date, timeZone: string): WallClock & { zone: string } {
  const parts = new Map(
    formatOf(timeZone)
      .formatToParts(time)
      .map(({ type, value }) => [type, value]),
  );
  const number = (type: Intl.DateTimeFormatPartTypes) => Number(parts.get(type));
  return {
    year: number('year'),
    month: number('month'),
    day: number('day'),
    hour: number('hour'),
    minute: number('minute'),
    second: number('second'),
    zone: parts.get('timeZoneName') ?? timeZone,
  };
}

/**
 * The time at which a clock in the zone shows this wall-clock time. If it occurs twice (clocks go back), the first
 * occurrence; if it is skipped (clocks go forward), it is moved forward by the length of the change. Undefined for a
 * date that does not exist.
 */
export function timeOfWallClock(reading: WallClock, timeZone: string): Date | undefined {
  const asUtcMs = utcMs(reading);
  const normal = new Date(asUtcMs);
  if (
    Number.isNaN(asUtcMs) ||
    normal.getUTCMonth() + 1 !== reading.month ||
    normal.getUTCDate() !== reading.day
  )
    return undefined;
  const candidates = [asUtcMs - dayMs, asUtcMs + dayMs].map(
    (near) => asUtcMs - (utcMs(wallClockAt(new Date(near), timeZone)) - near),
  );
  const [earlier = asUtcMs, later = asUtcMs] = candidates.toSorted((a, b) => a - b);
  const isShown = (ms: number) => utcMs(wallClockAt(new Date(ms), timeZone)) === asUtcMs;
  return new Date(isShown(earlier) ? earlier : later);
}

/** `2026-11-27 17:14:18 GMT`: to the second, with the zone's name. */
export function wallClockText(time: Date, timeZone: string): string {
  const { year, month, day, hour, minute, second, zone } = wallClockAt(time, timeZone);
  const two = (value: number) => String(value).padStart(2, '0');
  return `${year}-${two(month)}-${two(day)} ${two(hour)}:${two(minute)}:${two(second)} ${zone}`;
}

function utcMs({ year, month, day, hour, minute, second }: WallClock): number {
  return Date.UTC(year, month - 1, day, hour, minute, second);
}
