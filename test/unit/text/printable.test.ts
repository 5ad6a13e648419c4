import fc from 'fast-check';
import { expect, test } from 'vitest';
import { printable, printableJson, printableLines } from '../../../src/text/printable.ts';

const hostile = fc.string({
  unit: fc.oneof(
    fc.constantFrom(
      '\u001B',
      '\u009B',
      '\u0007',
      '\u202E',
      '\u2066',
      '\u200B',
      '\uFEFF',
      '\n',
      '\r',
      '\u2028',
    ),
    fc.string({ unit: 'binary', maxLength: 3 }),
  ),
});

test('printable text is one line without control, format or separator characters', () => {
  fc.assert(
    fc.property(hostile, (text) => {
      expect(printable(text)).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u);
      expect(printableLines(text).replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u);
    }),
  );
});

test('ordinary names are unchanged', () => {
  expect(printable('dbaas/postgresql (größe) 日本')).toBe('dbaas/postgresql (größe) 日本');
});

test('JSON keeps the value', () => {
  fc.assert(
    fc.property(fc.jsonValue(), hostile, (value, text) => {
      expect(JSON.parse(printableJson([value, text]))).toEqual(JSON.parse(JSON.stringify([value, text])));
    }),
  );
});
