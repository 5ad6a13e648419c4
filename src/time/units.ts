export const minuteMs = 60_000;
export const hourMs = 60 * minuteMs;
export const dayMs = 24 * hourMs;
export const hourSeconds = 3_600;
/** A day is 24 hours, regardless of daylight saving time. */
export const daySeconds = 24 * hourSeconds;
