import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { createProgram } from '../../src/cli/program.ts';
import { questionsIn, shellLinesIn } from '../support/readme.ts';

const text = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');

/** Commands that are not `flow-trail`, and the test that runs each. */
const testedElsewhere = [
  [/^npm ci && npm start$/, 'test/integration/dev/npm-start.test.ts'],
  [/^npm ci && npm test$/, '.ci'],
  [/^kubectl apply -k deploy\/kubernetes$/, 'test/deploy/kubernetes.test.ts'],
] as const;

/** Commands that need a cluster: examples. */
const examples = [/^kubectl create namespace /, /^kubectl -n (calico-system|goldmane-flow-trail) /];

let program: Awaited<ReturnType<typeof createProgram>>;
beforeAll(async () => {
  program = await createProgram(() => true);
  for (const command of program.commands.flatMap((each) => [each, ...each.commands]))
    if (command.commands.length === 0) command.action(() => undefined);
}, 60_000);

describe('README', () => {
  test('shows only commands that tests cover', () => {
    const unknown = shellLinesIn(text).filter(
      (line) =>
        !line.startsWith('npx flow-trail') &&
        !testedElsewhere.some(([pattern]) => pattern.test(line)) &&
        !examples.some((pattern) => pattern.test(line)),
    );
    expect(unknown).toEqual([]);
  });

  test('shows only flow-trail commands, options and arguments that exist', async () => {
    const questions = questionsIn(text);
    expect(questions.length).toBeGreaterThan(10);
    for (const args of questions)
      await expect(program.parseAsync(args, { from: 'user' }), args.join(' ')).resolves.toBeDefined();
  });

  test('links only to files that exist', () => {
    for (const [, path = ''] of text.matchAll(/(?:\]\(|src=")(?!https?:)([^)#"]+)/g))
      expect(() => readFileSync(new URL(`../../${path}`, import.meta.url)), path).not.toThrow(/ENOENT/);
  });
});
