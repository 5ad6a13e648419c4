import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ContentTable } from '../../../src/trail/fold/content-table.ts';

test('numbers contents in order of first occurrence', () => {
  const content = fc.oneof(
    fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
    fc.nat({ max: 20 }).map(String),
  );
  fc.assert(
    fc.property(fc.array(content, { maxLength: 200 }), (contents) => {
      const table = new ContentTable(contents.length);
      const numbers = new Map<string, number>();
      for (const one of contents) {
        if (!numbers.has(one)) numbers.set(one, numbers.size);
        expect(table.add(one)).toBe(numbers.get(one));
      }
      expect(table.size).toBe(numbers.size);
      for (const [one, number] of numbers) expect(table.get(number)).toBe(one);
    }),
  );
});

test('distinguishes contents that fill more than one chunk', () => {
  const table = new ContentTable(20_000);
  for (let n = 0; n < 20_000; n++) expect(table.add(`${'x'.repeat(200)}${n}`)).toBe(n);
  for (let n = 0; n < 20_000; n += 777) expect(table.get(n)).toBe(`${'x'.repeat(200)}${n}`);
});
