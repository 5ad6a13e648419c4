import { expect, test } from 'vitest';
import { csvLine } from '../../../src/text/csv.ts';

test('cells are quoted according to RFC 4180, and lines end in CRLF', () => {
  expect(csvLine(['a', 'b,c', 'd"e', 'f\ng', 7])).toBe('a,"b,c","d""e",f\\u{a}g,7\r\n');
});

test.each(['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1'])(
  'a spreadsheet does not run %j as a formula',
  (text) => {
    expect(csvLine([text]).replace(/^"/, '')).toMatch(/^'/);
  },
);

test('numbers are not text', () => {
  expect(csvLine([-1, 2.5])).toBe('-1,2.5\r\n');
});
