import { afterEach, expect, test, vi } from 'vitest';
import { createProgram } from '../../../src/cli/program.ts';

afterEach(() => {
  vi.unstubAllEnvs();
});

const longestLine = (text: string) => Math.max(...text.split('\n').map(({ length }) => length));

test('the list of commands is the same whether or not they are loaded', async () => {
  const [loaded, unloaded] = [await createProgram(() => true), await createProgram(() => false)];
  expect(loaded.helpInformation()).toBe(unloaded.helpInformation());
});

test('in a pipe, help is as wide as COLUMNS', async () => {
  const widths: number[] = [];
  for (const columns of ['', '60', '150', 'wide', '-1']) {
    vi.stubEnv('COLUMNS', columns);
    const program = await createProgram(({ name }) => name === 'edges');
    const edges = program.commands.find((command) => command.name() === 'edges');
    widths.push(longestLine(edges?.helpInformation() ?? ''));
  }
  const [byDefault = 0, narrow = 0, wide = 0, word, negative] = widths;
  expect(narrow).toBeLessThan(byDefault);
  expect(byDefault).toBeLessThanOrEqual(80);
  expect(wide).toBeGreaterThan(80);
  expect([word, negative]).toEqual([byDefault, byDefault]);
});
