import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
// A claim may be wrapped.
const text = readFileSync(`${root}/docs/security.md`, 'utf8').replaceAll(/\s+/g, ' ');
const claims = [...text.matchAll(/`(test\/[^`]+\.test\.ts)`: "([^"]+)"/g)].map(
  ([, file = '', name = '']) => [file, name] as const,
);

test('docs/security.md names tests', () => {
  expect(claims.length).toBeGreaterThan(20);
});

test.each(claims)('%s has the test "%s"', (file, name) => {
  expect(existsSync(`${root}/${file}`)).toBe(true);
  const source = readFileSync(`${root}/${file}`, 'utf8');
  expect(
    ['test', 'describe', ')'].some((call) => source.includes(`${call}('${name}'`)) ||
      source.includes(`'${name}',\n`),
  ).toBe(true);
});
