/** Monday first. */
export const weekdays = [
  'monday',
  'tuesday',
  'wednesday',
  'thursday',
  'friday',
  'saturday',
  'sunday',
] as const;

export type Weekday = (typeof weekdays)[number];

/** As in cron and `Date`: Sunday is 0. */
export const sundayFirst: readonly Weekday[] = [weekdays[6], ...weekdays.slice(0, 6)];
