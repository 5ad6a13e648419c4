import { describe, expect, test } from 'vitest';
import { parseLimit, parseNamespace, parsePort } from '../../../src/cli/input/parse-options.ts';

const usage = expect.objectContaining({ system: 'command', kind: 'usage' });

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
