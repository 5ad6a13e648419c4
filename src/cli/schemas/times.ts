import { z } from 'zod';

/** A `Date` in the program, ISO 8601 in UTC in JSON. */
export function time(description: string) {
  return z
    .codec(z.iso.datetime(), z.date(), {
      decode: (text) => new Date(text),
      encode: (date) => date.toISOString(),
    })
    .meta({ description: `${description} (ISO 8601, UTC)` });
}

/** The same, for values that are already text in the program. */
export function timeText(description: string) {
  return z.iso.datetime().meta({ description: `${description} (ISO 8601, UTC)` });
}
