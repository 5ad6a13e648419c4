import { readdir, readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';

const source = new URL('../../../src/', import.meta.url);
const built = new URL('../../../dist/', import.meta.url);

test('each file of the build has the lines of its source', async () => {
  const files = (await readdir(source, { recursive: true })).filter(
    (file) => file.endsWith('.ts') && !file.startsWith('web/page/'),
  );
  expect(files.length).toBeGreaterThan(100);
  const linesOf = async (url: URL) => (await readFile(url, 'utf8')).split('\n').length;
  for (const file of files)
    expect([file, await linesOf(new URL(file.replace(/\.ts$/, '.js'), built))]).toEqual([
      file,
      await linesOf(new URL(file, source)),
    ]);
});

test('a stack trace of the build names the line and column of the source', async () => {
  const { parseDatabaseUrl }: { parseDatabaseUrl: (url: string) => unknown } = await import(
    new URL('config/database-url.js', built).href
  );
  const stack = (() => {
    try {
      return parseDatabaseUrl('nonsense');
    } catch (error) {
      return error instanceof Error ? error.stack : undefined;
    }
  })();
  const [, line, column] = /database-url\.js:(\d+):(\d+)/.exec(String(stack)) ?? [];
  const text = (await readFile(new URL('config/database-url.ts', source), 'utf8')).split('\n');
  expect(text[Number(line) - 1]?.slice(Number(column) - 1)).toMatch(/^new UrlProblem\(/);
});
