import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { readDocuments, shellBlocksOf } from '../support/shell-blocks.ts';

/** Commands in blocks that are not marked as examples, with the tests that run them. */
const runBy: readonly [RegExp, string][] = [
  [/^(npx )?flow-trail digest$/, 'test/integration/digest-cli.test.ts'],
  // In the order of the block.
  [/^(npx )?flow-trail /, 'test/integration/documented-blocks.test.ts'],
  [
    /^echo "2026-01:\$\(openssl rand -base64 32\)" >> codec-keys$/,
    'test/integration/documented-blocks.test.ts',
  ],
  [/^(npm ci && )?npm start$/, 'test/integration/dev/npm-start.test.ts'],
  [/^npm ci$|^(npm ci && )?npm test$/, '.ci/run'],
  [/^kubectl apply -k deploy\/kubernetes-secret-reader$/, 'test/deploy/secret-reader.test.ts'],
];

const documents = readDocuments();
const blocks = documents.flatMap(shellBlocksOf);

test('every command in a shell block is run by a test, or the first line of its block marks it as an example', () => {
  expect(blocks.length).toBeGreaterThan(20);
  const unknown = blocks
    .filter(({ isExample }) => !isExample)
    .flatMap(({ place, commands }) =>
      commands
        .filter((command) => !runBy.some(([pattern]) => pattern.test(command)))
        .map((line) => `${place}: ${line}`),
    );
  expect(unknown).toEqual([]);
});

test('the listed tests exist, and every listed command occurs in a block', () => {
  const commands = blocks.filter(({ isExample }) => !isExample).flatMap((block) => block.commands);
  for (const [pattern, path] of runBy) {
    expect(existsSync(fileURLToPath(new URL(`../../${path}`, import.meta.url))), path).toBe(true);
    expect(
      commands.some((command) => pattern.test(command)),
      String(pattern),
    ).toBe(true);
  }
});

test('commands are in fenced blocks of sh or console', () => {
  const stray = documents.flatMap(({ path, text }) => [
    ...[...text.matchAll(/^ *```(bash|shell|zsh|shell-session)\b/gm)].map(([line]) => `${path}: ${line}`),
    ...[
      ...text
        .replaceAll(/^ *```[\s\S]*?^ *```/gm, '')
        .matchAll(/^ {4,}(?:\$ )?(?:npm|npx|flow-trail|kubectl|docker|helm|temporal|psql|curl) .*/gm),
    ].map(([line]) => `${path}: ${line.trim()}`),
  ]);
  expect(stray).toEqual([]);
});

test('the check splits blocks into commands like a shell', () => {
  const text =
    'a\n```sh\n# Example: needs a cluster\na b \\\n  c   # why\n```\n- x\n\n  ```sh\n  d # e\n\n  f\n  ```\n```console\n$ g\nout\n```\n';
  expect(shellBlocksOf({ path: 'x.md', text })).toEqual([
    { place: 'x.md:2', isExample: true, commands: ['a b    c'] },
    { place: 'x.md:9', isExample: false, commands: ['d', 'f'] },
    { place: 'x.md:14', isExample: false, commands: ['g'] },
  ]);
});
