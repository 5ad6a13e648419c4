import { describe, expect, test } from 'vitest';
import { parseLimit, parseSince } from '../../../src/cli/usage-error.ts';

const now = new Date('2026-01-31T12:00:00Z');
const since = (text: string) => parseSince('--since', text, now).toISOString();

describe('--since', () => {
  test.each([
    ['30s', '2026-01-31T11:59:30.000Z'],
    ['90m', '2026-01-31T10:30:00.000Z'],
    ['24h', '2026-01-30T12:00:00.000Z'],
    ['7d', '2026-01-24T12:00:00.000Z'],
    ['2w', '2026-01-17T12:00:00.000Z'],
    ['0d', '2026-01-31T12:00:00.000Z'],
    ['2026-01-01', '2026-01-01T00:00:00.000Z'],
    ['2026-01-01T08:00Z', '2026-01-01T08:00:00.000Z'],
    ['2026-01-01T08:00:00+02:00', '2026-01-01T06:00:00.000Z'],
  ])('%s is %s', (text, time) => {
    expect(since(text)).toBe(time);
  });

  test.each([
    '',
    '7',
    '7y',
    '-7d',
    '1.5h',
    'yesterday',
    '2026',
    '2026-13-01',
    '12/31/2026',
    '9999999999999d',
    '7d ago',
  ])('%j is refused, with the option’s name and an example', (text) => {
    expect(() => since(text)).toThrow(expect.objectContaining({ system: 'command', kind: 'usage' }));
    expect(() => since(text)).toThrow(/^--since cannot be ".*"\. Give .*24h.*2026-01-31/);
  });
});

describe('--limit', () => {
  test('is a whole number from 1', () => {
    expect([parseLimit('--limit', '1'), parseLimit('--limit', '250')]).toEqual([1, 250]);
  });

  test.each(['', '0', '-1', '1.5', 'all', '1e30', 'Infinity'])('%j is refused', (text) => {
    expect(() => parseLimit('--limit', text)).toThrow(
      expect.objectContaining({ system: 'command', kind: 'usage' }),
    );
  });
});
