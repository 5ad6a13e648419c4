import { describe, expect, test } from 'vitest';
import { parseLimit, parseNamespace, parsePort, parseSince } from '../../../src/cli/parse-options.ts';

const now = new Date('2026-01-31T12:00:00Z');
const since = (text: string, timeZone?: string) => parseSince('--since', text, now, timeZone).toISOString();
const usage = expect.objectContaining({ system: 'command', kind: 'usage' });

describe('a time', () => {
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
    ['2026-01-01 08:00', '2026-01-01T08:00:00.000Z'],
    ['2026-01-01 08:00:30', '2026-01-01T08:00:30.000Z'],
  ])('%s is %s', (text, time) => {
    expect(since(text)).toBe(time);
  });

  test('without an offset is in the given zone', () => {
    expect(since('2025-07-01', 'Europe/London')).toBe('2025-06-30T23:00:00.000Z');
    expect(since('2025-07-01 08:00', 'Asia/Kathmandu')).toBe('2025-07-01T02:15:00.000Z');
  });

  test('of day is its most recent occurrence, today or yesterday', () => {
    expect(since('03:00')).toBe('2026-01-31T03:00:00.000Z');
    expect(since('12:01')).toBe('2026-01-30T12:01:00.000Z');
    expect(since('03:00', 'America/New_York')).toBe('2026-01-31T08:00:00.000Z');
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
    '2026-02-30',
    '12/31/2026',
    '9999999999999d',
    '7d ago',
    '25:00',
    '2026-01-01 8',
    '2026-01-01T08:00Zebra',
  ])('%j is rejected, with the name of the option and examples', (text) => {
    expect(() => since(text)).toThrow(usage);
    expect(() => since(text)).toThrow(/^--since ".*" is not a time\. Use .*24h.*2026-01-31/);
  });
});

describe('a limit', () => {
  test('is a whole number from 1', () => {
    expect([parseLimit('--limit', '1'), parseLimit('--limit', '250')]).toEqual([1, 250]);
  });

  test.each(['', '0', '-1', '1.5', 'all', '1e30', '1e3', ' 5', 'Infinity'])('%j is rejected', (text) => {
    expect(() => parseLimit('--limit', text)).toThrow(usage);
  });
});

describe('a namespace', () => {
  test('is a DNS label', () => {
    expect(parseNamespace('--ns', 'kube-system')).toBe('kube-system');
  });

  test.each(['', 'Immich', 'a/b', '../x', 'a b', '-a', 'a'.repeat(64), 'a\0', '=1+1'])(
    '%j is rejected',
    (text) => {
      expect(() => parseNamespace('--ns', text)).toThrow(usage);
    },
  );
});

describe('a port', () => {
  test.each([
    ['5432', { protocol: undefined, port: 5432 }],
    ['udp/53', { protocol: 'udp', port: 53 }],
    ['many', { protocol: undefined, port: -1 }],
  ])('%s', (text, expected) => {
    expect(parsePort('--port', text)).toEqual(expected);
  });

  test.each(['', '-1', '65536', 'http', '53/udp', 'tcp/'])('%j is rejected', (text) => {
    expect(() => parsePort('--port', text)).toThrow(usage);
  });
});
