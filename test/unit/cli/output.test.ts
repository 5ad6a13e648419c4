import { afterEach, describe, expect, test, vi } from 'vitest';
import { formatTable, formatTime, printJson, printTable } from '../../../src/cli/output/output.ts';

describe('a table', () => {
  test('has columns as wide as their widest cell, separated by two spaces, without trailing spaces', () => {
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

  test('without rows is only a header', () => {
    expect(formatTable(['FROM', 'TO'], [])).toBe('FROM  TO');
  });

  test('does not become wider through one very long name', () => {
    const name = 'a'.repeat(253);
    expect(
      formatTable(
        ['FROM', 'TO'],
        [
          [name, 'x'],
          ['shop', 'y'],
        ],
      ).split('\n'),
    ).toEqual(['FROM  TO', `${name}  x`, 'shop  y']);
  });

  test('can have more rows than a function call can have arguments', () => {
    const rows = Array.from({ length: 200_000 }, () => ['x']);
    expect(formatTable(['A'], rows, { limit: 200_000 }).split('\n')).toHaveLength(200_001);
  });

  test('has at most 500 rows, or those of the limit of its command, and counts the others', () => {
    const rows = Array.from({ length: 26_000 }, (_, n) => [String(n)]);
    const lines = formatTable(['A'], rows).split('\n');
    expect(lines).toHaveLength(502);
    expect(lines.at(-1)).toContain('25500');
    expect(lines.at(-1)).toContain('--json');
    expect(formatTable(['A'], rows, { limit: 3 }).split('\n')).toHaveLength(5);
    expect(formatTable(['A'], rows.slice(0, 500)).split('\n')).toHaveLength(501);
  });

  test('keeps every cell on its line and in its column, regardless of its content', () => {
    expect(formatTable(['A', 'B'], [['a\u001B[2J\nb\u202E', 'c']])).toBe(
      'A                         B\na\\u{1b}[2J\\u{a}b\\u{202e}  c',
    );
  });
});

describe('standard output', () => {
  afterEach(() => {
    vi.unstubAllEnvs();
  });

  function written(isTerminal: boolean, work: () => void): string {
    const wasTerminal = process.stdout.isTTY;
    const write = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
    process.stdout.isTTY = isTerminal;
    try {
      work();
      return write.mock.calls.map(([text]) => String(text)).join('');
    } finally {
      write.mockRestore();
      process.stdout.isTTY = wasTerminal;
    }
  }
  const table = () => printTable(['A'], [['deny'], ['allow']]);

  test('has colour only in a terminal, and not with NO_COLOR', () => {
    vi.stubEnv('NO_COLOR', '');
    vi.stubEnv('TERM', 'xterm');
    expect(written(true, table)).toBe('\u001B[1mA\u001B[22m\n\u001B[31mdeny\u001B[39m\nallow\n');
    expect(written(false, table)).toBe('A\ndeny\nallow\n');
    vi.stubEnv('NO_COLOR', '1');
    expect(written(true, table)).toBe('A\ndeny\nallow\n');
  });

  test('the line that counts the rows left out is never red', () => {
    vi.stubEnv('NO_COLOR', '');
    vi.stubEnv('TERM', 'xterm');
    const text = written(true, () => printTable(['A'], [['allow'], ['deny']], { limit: 1 }));
    expect(text).toContain('1 more of 2');
    expect(text).not.toContain('\u001B[31m');
  });

  test('JSON keeps the value and contains no character that a terminal interprets', () => {
    const value = { name: 'a\u009B31m\u202E\u{E0001}\n' };
    const text = written(false, () => printJson(value));
    expect(JSON.parse(text)).toEqual(value);
    expect(text.replaceAll('\n', '')).toMatch(/^[\u0020-\u007E]*$/);
  });
});

test('a time is shown in seconds, with the name of its zone', () => {
  expect(formatTime(new Date('2026-01-31T23:59:59.999+02:00'))).toMatch(/^2026-0[12]-\d\d \d\d:\d\d:59 \S+$/);
});
