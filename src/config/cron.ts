import { sundayFirst } from '../time/weekdays.ts';

interface Field {
  name: string;
  min: number;
  max: number;
  /** Full names of the values from `min` on; the server accepts their prefixes. */
  names?: readonly string[];
  /** Minimum length of a prefix. */
  prefixLength?: number;
}

const fields: readonly [Field, Field, Field, Field, Field] = [
  { name: 'minute', min: 0, max: 59 },
  { name: 'hour', min: 0, max: 23 },
  { name: 'day of the month', min: 1, max: 31 },
  {
    name: 'month',
    min: 1,
    max: 12,
    names: [
      'january',
      'february',
      'march',
      'april',
      'may',
      'june',
      'july',
      'august',
      'september',
      'october',
      'november',
      'december',
    ],
    prefixLength: 3,
  },
  {
    name: 'day of the week',
    min: 0,
    max: 7,
    names: sundayFirst,
    prefixLength: 2,
  },
];
const mostDays = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/**
 * Why Temporal's server would reject a five-field cron expression or interpret it unexpectedly; undefined when it is
 * valid. Source: temporalio/temporal, service/worker/scheduler/calendar.go, which decides what a schedule runs;
 * test/integration/cron-grammar.test.ts compares both.
 */
export function cronProblem(expression: string): string | undefined {
  if (expression.startsWith('@')) return 'must have five fields; names like @daily are not accepted';
  if (/^(CRON_)?TZ=/.test(expression)) return 'must not name a time zone; set TIME_ZONE';
  if (expression.includes('#'))
    return 'contains "#": Temporal reads the rest as a comment, not as the nth weekday of a month';
  const parts = expression.trim().split(/\s+/);
  if (parts.length !== fields.length)
    return `must have five fields, not ${parts[0] === '' ? 0 : parts.length}`;
  const sets: ReadonlySet<number>[] = [];
  for (const [index, field] of fields.entries()) {
    const values = fieldValues(parts[index] ?? '', field);
    if (typeof values === 'string') return values;
    sets.push(values);
  }
  const [, , days = new Set(), months = new Set(), weekdays = new Set()] = sets;
  if (![...months].some((month) => [...days].some((day) => day <= (mostDays[month - 1] ?? 0))))
    return 'never runs: the selected months do not have the selected day';
  if (days.size < 31 && weekdays.size < 7)
    return 'restricts both the day of the month and the day of the week: Temporal runs it only when both match; restrict one of them';
  return undefined;
}

/** The values of one field, Sunday as 0; or what is wrong with it. */
function fieldValues(text: string, field: Field): Set<number> | string {
  const values = new Set<number>();
  for (const part of text.split(',')) {
    const [range = '', step, ...more] = part.split('/');
    if (more.length > 0) return wrong(field, part);
    if (step !== undefined && !/^0*[1-9][0-9]*$/.test(step))
      return `has the step "${step}" in its ${field.name}; use a whole number of 1 or more`;
    const limits = rangeOf(range, step !== undefined, field);
    if (!limits) return wrong(field, part);
    for (let value = limits.from; value <= limits.to; value += Number(step ?? 1))
      values.add(field.name === 'day of the week' ? value % 7 : value);
  }
  return values;
}

/** A single value with a step runs to the field's end, as `5/15`: 5, 20, 35, 50. */
function rangeOf(range: string, hasStep: boolean, field: Field): { from: number; to: number } | undefined {
  if (range === '*') return { from: field.min, to: field.name === 'day of the week' ? 6 : field.max };
  const [first = '', last, ...more] = range.split('-');
  if (more.length > 0) return undefined;
  const from = valueOf(first, field);
  const to = last === undefined ? (hasStep ? field.max : from) : valueOf(last, field);
  return from === undefined || to === undefined || to < from ? undefined : { from, to };
}

function valueOf(text: string, { min, max, names, prefixLength = 0 }: Field): number | undefined {
  if (names && text.length >= prefixLength) {
    const index = names.findIndex((name) => name.startsWith(text.toLowerCase()));
    if (index !== -1) return min + index;
  }
  const value = /^[0-9]{1,4}$/.test(text) ? Number(text) : Number.NaN;
  return value >= min && value <= max ? value : undefined;
}

function wrong(field: Field, part: string): string {
  const example = field.names ? ` or ${field.names[1]?.slice(0, 3)}` : '';
  return `has "${part}" as its ${field.name}; use * or numbers from ${field.min} to ${field.max}${example}, such as 1, 1-5, */5 or 1,3`;
}
