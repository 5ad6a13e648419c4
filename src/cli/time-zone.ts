import { configFailure } from '../config/config-failure.ts';
import { canonicalTimeZone, notTimeZone } from '../config/time-zone.ts';

let known: string | undefined;

/** TIME_ZONE if set, otherwise this machine's time zone. An IANA name. @throws ConfigFailure */
export function displayTimeZone(): string {
  known ??= readTimeZone(process.env['TIME_ZONE']?.trim());
  return known;
}

function readTimeZone(name: string | undefined): string {
  const ownZone = new Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (name === undefined || name === '') return ownZone;
  const zone = canonicalTimeZone(name);
  if (zone !== undefined) return zone;
  throw configFailure([`TIME_ZONE ${notTimeZone(name)}`]);
}
