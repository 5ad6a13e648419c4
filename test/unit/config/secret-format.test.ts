import { expect, test } from 'vitest';
import { databaseUrlProblem } from '../../../src/config/database-url.ts';
import { secretUrlProblem } from '../../../src/config/secret-url.ts';

const values = [
  ['postgres://trail:p4ss@db.example/edges', databaseUrlProblem],
  ['https://hooks.slack.com/services/T00000000/B00000000/p4ss', secretUrlProblem],
] as const;

// Ways in which people copy a value into a Secret, an env file or a chart.
const damaged: [string, (value: string) => string, RegExp][] = [
  ['in double quotes', (value) => `"${value}"`, /enclosed in quotes/],
  ['in single quotes', (value) => `'${value}'`, /enclosed in quotes/],
  ['in typographic quotes', (value) => `“${value}”`, /enclosed in quotes/],
  ['as base64', (value) => Buffer.from(value).toString('base64'), /base64/],
  ['as base64 of a line', (value) => Buffer.from(`${value}\n`).toString('base64'), /base64/],
  [
    'as base64 in lines',
    (value) => Buffer.from(value).toString('base64').replace(/.{20}/g, '$&\n'),
    /base64/,
  ],
  ['with a line break inside', (value) => `${value.slice(0, 30)}\n${value.slice(30)}`, /invisible/],
  ['with a zero-width space at the end', (value) => `${value}\u200b`, /invisible/],
  ['with a byte order mark', (value) => `\ufeff${value}`, /invisible/],
];

test.each(values.flatMap(([value, problemOf]) => damaged.map((row) => [value, row, problemOf] as const)))(
  '%s, copied %s, is reported with what to remove, and without the value',
  (value, [, damage, expected], problemOf) => {
    expect(problemOf(value)).toBeUndefined();
    const problem = problemOf(damage(value));
    expect(problem).toMatch(expected);
    expect(problem).not.toContain('p4ss');
  },
);
