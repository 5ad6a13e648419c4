import { describe, expect, test } from 'vitest';
import { formatTable, formatTime } from '../../../src/cli/output.ts';

describe('a table', () => {
  test('has columns as wide as their widest cell, two blanks between, and no blanks at the end', () => {
    expect(
      formatTable(
        ['A', 'LONG', 'C'],
        [
          ['long', 'b', 'c'],
          ['x', '', ''],
        ],
      ).split('\n'),
    ).toEqual(['A     LONG  C', 'long  b     c', 'x']);
  });

  test('without rows is its header', () => {
    expect(formatTable(['FROM', 'TO'], [])).toBe('FROM  TO');
  });

  test('takes more rows than a call takes arguments', () => {
    const rows = Array.from({ length: 200_000 }, () => ['x']);
    expect(formatTable(['A'], rows).split('\n')).toHaveLength(200_001);
  });
});

test('a time is shown to the second, in UTC', () => {
  expect(formatTime(new Date('2026-01-31T23:59:59.999+02:00'))).toBe('2026-01-31T21:59:59Z');
});
