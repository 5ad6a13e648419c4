import { daySeconds, hourSeconds } from '../time/units.ts';
import { weekdays } from '../time/weekdays.ts';
import type { TimeSpans } from './covered-time.ts';
const hoursOfDay = 24;
/** 1 January 1970 was a Thursday. */
const epochWeekday = weekdays.indexOf('thursday');

interface Zone {
  readonly format: Intl.DateTimeFormat;
  /** Seconds ahead of UTC, by quarter of an hour since the epoch. */
  readonly offsets: Map<number, number>;
  /** Hours of the week by UTC day: each namespace of a report needs the same days. */
  readonly days: Map<number, readonly number[]>;
}

const zones = new Map<string, Zone>();

/**
 * Computing an offset with Intl takes about 20 us, and each report needs the same offsets, so they are cached per zone.
 */
function zoneOf(timeZone: string): Zone {
  const known = zones.get(timeZone);
  if (known) return known;
  const zone = {
    format: new Intl.DateTimeFormat('en', { timeZone, timeZoneName: 'longOffset' }),
    offsets: new Map<number, number>(),
    days: new Map<number, readonly number[]>(),
  };
  zones.set(timeZone, zone);
  return zone;
}

/** Local calendar of one zone. Times are epoch seconds. */
export class LocalWeek {
  readonly #zone: Zone;

  /** @param timeZone an IANA name */
  constructor(timeZone: string) {
    this.#zone = zoneOf(timeZone);
  }

  /** Local wall-clock time as seconds, as if it were UTC. */
  localSeconds(seconds: number): number {
    return seconds + this.#offset(seconds);
  }

  /** The hour of the week, 0 for Monday 00:00 to 167. */
  hourOfWeek(seconds: number): number {
    const local = this.localSeconds(seconds);
    return localWeekday(local) * hoursOfDay + Math.floor(mod(local, daySeconds) / hourSeconds);
  }

  /** The hour of the week of each hour of a UTC day, given as days since the epoch. */
  hoursOfDay(day: number): readonly number[] {
    const known = this.#zone.days.get(day);
    if (known !== undefined) return known;
    const hours = Array.from({ length: hoursOfDay }, (_, hour) =>
      this.hourOfWeek(day * daySeconds + hour * hourSeconds),
    );
    this.#zone.days.set(day, hours);
    return hours;
  }

  /** 0 for Monday to 6. */
  weekday(seconds: number): number {
    return localWeekday(this.localSeconds(seconds));
  }

  /** Local date as days since the epoch. */
  date(seconds: number): number {
    return Math.floor(this.localSeconds(seconds) / daySeconds);
  }

  /**
   * For each hour of the week, the start of its latest fully covered occurrence; undefined if there is none. Hours shortened by
   * a daylight saving change do not count.
   */
  latestCoveredHours(covered: TimeSpans, nowSeconds: number): (number | undefined)[] {
    const latest = Array.from<number | undefined>({ length: weekdays.length * hoursOfDay });
    const beganAt = covered.beganAt ?? nowSeconds;
    let missing = latest.length;
    let end = nowSeconds;
    while (missing > 0) {
      end -= mod(this.localSeconds(end), hourSeconds);
      const start = end - hourSeconds;
      if (start < beganAt) break;
      const slot = this.hourOfWeek(start);
      const isWhole = mod(this.localSeconds(start), hourSeconds) === 0;
      if (isWhole && latest[slot] === undefined && covered.between(start, end) === hourSeconds) {
        latest[slot] = start;
        missing -= 1;
      }
      // One second earlier, so that the next iteration uses the offset before the change.
      end = isWhole ? start : end - 1;
    }
    return latest;
  }

  #offset(seconds: number): number {
    // Zones change their offset only at full quarter hours.
    const quarter = Math.floor(seconds / 900);
    const known = this.#zone.offsets.get(quarter);
    if (known !== undefined) return known;
    const part = this.#zone.format
      .formatToParts(quarter * 900_000)
      .find(({ type }) => type === 'timeZoneName')?.value;
    const offset = parseOffset(part ?? 'GMT');
    this.#zone.offsets.set(quarter, offset);
    return offset;
  }
}

/**
 * Formats hours of the week: the whole week as such, a whole day as its name, others as time ranges.
 * @param hours 0 for Monday 00:00 to 167, ascending
 */
export function hoursInWords(hours: readonly number[]): string[] {
  if (hours.length === weekdays.length * hoursOfDay) return ['the whole week'];
  return weekdays.flatMap((weekday, index) => {
    const ofDay = hours
      .filter((hour) => Math.floor(hour / hoursOfDay) === index)
      .map((hour) => hour % hoursOfDay);
    if (ofDay.length === 0) return [];
    if (ofDay.length === hoursOfDay) return [weekday];
    return [`${weekday} ${spans(ofDay).join(', ')}`];
  });
}

function spans(hours: readonly number[]): string[] {
  const found: { from: number; to: number }[] = [];
  for (const hour of hours) {
    const last = found.at(-1);
    if (last && last.to === hour) last.to = hour + 1;
    else found.push({ from: hour, to: hour + 1 });
  }
  return found.map(({ from, to }) => `${clock(from)}-${clock(to)}`);
}

function clock(hour: number): string {
  return `${String(hour).padStart(2, '0')}:00`;
}

function localWeekday(local: number): number {
  return mod(Math.floor(local / daySeconds) + epochWeekday, weekdays.length);
}

/** `GMT`, `GMT+05:45`, `GMT-03:30` */
function parseOffset(text: string): number {
  const [, sign, hours, minutes, seconds] = /^GMT([+-])(\d{2}):(\d{2})(?::(\d{2}))?$/.exec(text) ?? [];
  if (sign === undefined) return 0;
  const offset = Number(hours) * hourSeconds + Number(minutes) * 60 + Number(seconds ?? 0);
  return sign === '-' ? -offset : offset;
}

function mod(value: number, by: number): number {
  return ((value % by) + by) % by;
}
