import { Command } from 'commander';
import { expect, test } from 'vitest';
import { usageHint } from '../../../src/cli/input/usage-hints.ts';

const edges = new Command('edges').option('--ns <name>').option('--src <name>').option('--since <time>');
const allowlist = new Command('allowlist');
const digest = new Command('digest');
const diff = new Command('diff').requiredOption('--from <time>');

test.each([
  [edges, "error: unknown option '--from'", [], ['--src', '--since']],
  [edges, "error: unknown option '-n'", [], ['--ns']],
  [edges, "error: too many arguments for 'edges'. Expected 1 argument but got 2.", [], ['explain', '--src']],
  [allowlist, "error: unknown command 'immich'", [], ['allowlist derive']],
  [digest, "error: too many arguments for 'digest'. Expected 0 arguments but got 1.", [], ['digest show']],
  [diff, "error: required option '--from <time>' not specified", ['diff', '--since', '7d'], ['--since']],
] as const)('%# a hint names the option to use', (command, message, given, names) => {
  for (const name of names) expect(usageHint(command, message, given)).toContain(name);
});

test.each([
  [edges, "error: unknown option '--srcc'\n(Did you mean --src?)"],
  [edges, "error: unknown option '--colour'"],
  [diff, "error: unknown option '-n'"],
  [diff, "error: too many arguments for 'diff'. Expected 0 arguments but got 1."],
  [diff, "error: required option '--from <time>' not specified"],
] as const)('%# without a known name there is no hint', (command, message) => {
  expect(usageHint(command, message, [])).toBeUndefined();
});
