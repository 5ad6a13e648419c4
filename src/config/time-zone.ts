/** What is wrong with a name that `canonicalTimeZone` does not accept. */
export function notTimeZone(name: string): string {
  return `"${name}" is not an IANA zone name; use "UTC" or, for example, "Europe/London"`;
}

/**
 * The name of a time zone that both Node and Temporal's server accept: `utc` becomes `UTC`, `europe/london` becomes
 * `Europe/London`, `Japan` becomes `Asia/Tokyo`. Undefined for abbreviations such as `PST`, which the server rejects or
 * treats as a fixed offset, and for offsets such as `+01:00`. Sources: ECMA-402, resolvedOptions; Go,
 * time.LoadLocation.
 */
export function canonicalTimeZone(name: string): string | undefined {
  if (/^([A-Z]{2,4}|[A-Z]{3}[0-9][A-Z]{3})$/i.test(name) && !/^(UTC|GMT|UCT)$/i.test(name)) return undefined;
  if (/^systemv\//i.test(name)) return undefined;
  try {
    const zone = new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone;
    return /^[A-Z]/.test(zone) ? zone : undefined;
  } catch {
    return undefined;
  }
}
