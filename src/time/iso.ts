/** ISO 8601 in UTC, with milliseconds. */
export function iso(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}
