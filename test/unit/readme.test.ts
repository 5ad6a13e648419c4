import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { createProgram } from '../../src/cli/program.ts';
import { flowTrailCommandsIn } from '../support/readme.ts';

const text = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');

let program: Awaited<ReturnType<typeof createProgram>>;
beforeAll(async () => {
  program = await createProgram(() => true);
  for (const command of program.commands.flatMap((each) => [each, ...each.commands]))
    if (command.commands.length === 0) command.action(() => undefined);
}, 60_000);

describe('README', () => {
  test('contains only flow-trail commands, options and arguments that exist', async () => {
    const questions = flowTrailCommandsIn(text);
    expect(questions.length).toBeGreaterThan(10);
    for (const args of questions)
      await expect(program.parseAsync(args, { from: 'user' }), args.join(' ')).resolves.toBeDefined();
  });

  test('links only to files that exist', () => {
    for (const [, path = ''] of text.matchAll(/(?:\]\(|src=")(?!https?:)([^)#"]+)/g))
      expect(() => readFileSync(new URL(`../../${path}`, import.meta.url)), path).not.toThrow(/ENOENT/);
  });
});
