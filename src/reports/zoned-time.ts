/** Shows a moment to the minute, as people write it, with the zone's name: `24 Nov 2026, 08:00 GMT`. */
export function timeFormatter(timeZone: string): (time: Date) => string {
  const format = new Intl.DateTimeFormat('en-GB', {
    timeZone,
    day: 'numeric',
    month: 'short',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
    timeZoneName: 'short',
  });
  return (time) => format.format(time);
}
