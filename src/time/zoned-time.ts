/** Formats times in one time zone. */
export interface ZonedTime {
  /** `Mon 23 Nov 08:00` */
  minute: (time: Date) => string;
  /** `Mon 23 Nov 08:00 GMT`; unambiguous when clocks change. */
  exact: (time: Date) => string;
  /** `23 Nov 2026, 08:00 GMT`; for times that may be years away. */
  dated: (time: Date) => string;
}

/** @param timeZone an IANA name */
export function zonedTime(timeZone: string): ZonedTime {
  const format = new Intl.DateTimeFormat('en-GB', {
    timeZone,
    weekday: 'short',
    day: 'numeric',
    month: 'short',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
    timeZoneName: 'short',
  });
  const read = (time: Date) => {
    const parts = new Map(format.formatToParts(time).map(({ type, value }) => [type, value]));
    const part = (type: Intl.DateTimeFormatPartTypes) => parts.get(type) ?? '';
    const minute = `${part('weekday')} ${part('day')} ${part('month')} ${part('hour')}:${part('minute')}`;
    const day = `${part('day')} ${part('month')} ${part('year')}, ${part('hour')}:${part('minute')}`;
    return { minute, day, zone: part('timeZoneName') };
  };
  return {
    minute: (time) => read(time).minute,
    exact(time) {
      const { minute, zone } = read(time);
      return `${minute} ${zone}`;
    },
    dated(time) {
      const { day, zone } = read(time);
      return `${day} ${zone}`;
    },
  };
}

/** `3 h 20 min`, `45 s`: in at most two adjacent units. */
export function spanText(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const units = [
    { name: 'd', amount: Math.floor(whole / 86_400) },
    { name: 'h', amount: Math.floor((whole % 86_400) / 3_600) },
    { name: 'min', amount: Math.floor((whole % 3_600) / 60) },
    { name: 's', amount: whole % 60 },
  ];
  const first = units.findIndex(({ amount }) => amount > 0);
  if (first === -1) return '0 s';
  return units
    .slice(first, first + 2)
    .filter(({ amount }) => amount > 0)
    .map(({ name, amount }) => `${amount} ${name}`)
    .join(' ');
}
