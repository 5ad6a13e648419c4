import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { describe, expect, test } from 'vitest';
import { commands } from '../../../src/cli/commands.ts';

const folder = fileURLToPath(new URL('../../..', import.meta.url));
const documents = [
  'README.md',
  'deploy/README.md',
  ...readdirSync(`${folder}/docs`, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.md'))
    .map((path) => `docs/${path}`),
]
  .toSorted()
  .map((path): [string, string[]] => [
    path,
    [...new Set(commandLines(readFileSync(`${folder}/${path}`, 'utf8')))],
  ])
  .filter(([, lines]) => lines.length > 0);

/** The command lines in code spans and shell blocks, up to a pipe, a comment or `&&`. */
function commandLines(markdown: string): string[] {
  const code = [
    ...markdown.matchAll(/^```(?:sh|console)\n([\s\S]*?)^```/gm),
    ...markdown.replaceAll(/^```[\s\S]*?^```/gm, '').matchAll(/`([^`\n]+)`/g),
  ].map(([, text = '']) => text);
  return code.flatMap((text) =>
    text
      .replaceAll('\\\n', ' ')
      .split(/\n|&&|\||;/)
      .map((line) =>
        line
          .replace(/\s#.*$/, '')
          .replace(/^\s*\$?\s*(?:npx )?/, '')
          .trim(),
      )
      .filter((line) => /^flow-trail [a-z]/.test(line)),
  );
}

const words = (line: string) => line.match(/"[^"]*"|'[^']*'|\S+/g) ?? [];

async function find(line: string): Promise<{ command: Command; rest: string[] } | undefined> {
  const [, name = '', ...rest] = words(line);
  const entry = commands.find((each) => each.name === name || each.alias === name);
  let command = await entry?.load();
  while (command !== undefined) {
    const [next = ''] = rest;
    const inner: Command | undefined = command.commands.find((each) => each.name() === next);
    if (!inner) break;
    command = inner;
    rest.shift();
  }
  return command && { command, rest };
}

describe.each(documents)('%s', (_path, lines) => {
  test('names only commands and options that exist', async () => {
    const wrong: string[] = [];
    for (const line of lines) {
      const found = await find(line);
      if (!found) {
        wrong.push(`${line}: no such command`);
        continue;
      }
      const known = new Set(found.command.options.flatMap(({ long, short }) => [long, short]));
      for (const word of found.rest)
        if (/^--?[a-z]/.test(word) && word !== '--help' && !known.has(word.replace(/=.*/, '')))
          wrong.push(`${line}: no option ${word}`);
    }
    expect(wrong).toEqual([]);
  });
});

test('the check finds commands and options that do not exist', async () => {
  expect(await find('flow-trail frobnicate')).toBeUndefined();
  expect((await find('flow-trail allowlist derive immich --out policies/'))?.command.name()).toBe('derive');
  expect(
    commandLines('`npx flow-trail edges --ns a | jq .`\n```sh\n$ flow-trail at --ns b   # why\n```'),
  ).toEqual(['flow-trail at --ns b', 'flow-trail edges --ns a']);
});
