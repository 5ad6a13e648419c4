import type { z } from 'zod';

/** Fields of Calico Enterprise and Calico Cloud, which Calico itself does not have. */
const enterpriseFields = new Set(['domains', 'allowedEgressDomains', 'appLayer', 'notDomains']);

const valueText = 60;

/**
 * One line for each problem of an object: where it is, the field, the value, and what to do.
 * @param where `now.yaml, document 2: NetworkPolicy immich/deny`
 */
export function describeIssue(where: string, object: unknown, issue: z.core.$ZodIssue): string[] {
  const field = issue.path.map(String).join('.');
  const at = field === '' ? where : `${where}: ${field}`;
  const value = at === where ? undefined : valueAt(object, issue.path);
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map(
        (key) => `${where}: ${[...issue.path.map(String), key].join('.')} ${unknownField(key)}`,
      );
    case 'invalid_type':
      return [
        value === undefined
          ? `${at} is missing; set it`
          : [at, shown(value), `is not ${expected[issue.expected] ?? `a ${issue.expected}`}`]
              .filter((part) => part !== '')
              .join(' '),
      ];
    case 'invalid_value':
      return [
        value === undefined
          ? `${at} is missing; use ${issue.values.map(String).join(', ')}`
          : `${at} ${shown(value)} is unknown; use ${issue.values.map(String).join(', ')}`,
      ];
    default:
      return [`${at}${shown(value) === '' ? '' : ` ${shown(value)}`} ${issue.message}`];
  }
}

/** The expected types of values, and how to write them. */
const expected: Readonly<Record<string, string>> = {
  string: 'a string; put it in quotes',
  number: 'a number; write digits without quotes',
  int: 'a whole number; write digits without quotes',
  boolean: 'a boolean; use true or false',
  array: 'a list; start each entry with "- "',
  object: 'an object; indent its fields below it',
  record: 'an object; indent its fields below it',
};

function unknownField(key: string): string {
  if (enterpriseFields.has(key))
    return 'is a field of Calico Enterprise, which Calico does not evaluate; remove it';
  return 'is not supported; check its spelling and indentation, or remove it';
}

function valueAt(object: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, key) =>
      typeof value === 'object' && value !== null
        ? Object.entries(value).find(([name]) => name === String(key))?.[1]
        : undefined,
    object,
  );
}

/** Values that fit on the line; '' for others. */
function shown(value: unknown): string {
  if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') return '';
  const text = JSON.stringify(value);
  return text.length > valueText ? `${text.slice(0, valueText)}…` : text;
}
