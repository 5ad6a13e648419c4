import { configFailure } from '../../config/config-failure.ts';
import { canonicalTimeZone, notTimeZone } from '../../config/time-zone.ts';

let known: string | undefined;

/** TIME_ZONE if set, otherwise this machine's time zone. An IANA name. @throws ConfigFailure */
export function displayTimeZone(): string {
  known ??= readTimeZone(process.env['TIME_ZONE']?.trim());
  return known;
}

function readTimeZone(name: string | undefined): string {
  if (name === undefined || name === '') return machineTimeZone();
  const zone = canonicalTimeZone(name);
  if (zone !== undefined) return zone;
  throw configFailure([`TIME_ZONE ${notTimeZone(name)}`]);
}

/** Node does not know a zone if TZ is empty, which means UTC (POSIX), or names none; the C library then uses UTC as well. */
function machineTimeZone(): string {
  // Without a known zone, this is undefined, unlike in its type, or a name that Intl itself rejects.
  const name: string | undefined = new Intl.DateTimeFormat().resolvedOptions().timeZone;
  return name === undefined || name === 'Etc/Unknown' ? 'UTC' : name;
}
