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

/** UTC if TZ is empty or not the name of a zone, as in the C library (POSIX); Node reports no usable zone in these cases. */
function machineTimeZone(): string {
  // In these cases it is undefined, contrary to its type, or "Etc/Unknown", which Intl itself rejects.
  const name: string | undefined = new Intl.DateTimeFormat().resolvedOptions().timeZone;
  return name === undefined || name === 'Etc/Unknown' ? 'UTC' : name;
}
