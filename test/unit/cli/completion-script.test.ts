import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Command } from 'commander';
import { beforeAll, describe, expect, test } from 'vitest';
import { completionScript, shells } from '../../../src/cli/output/completion-script.ts';
import { commands } from '../../../src/cli/commands.ts';
import { createProgram } from '../../../src/cli/program.ts';
import { folderOfTest } from '../../support/folder.ts';

let program: Awaited<ReturnType<typeof createProgram>>;
beforeAll(async () => {
  program = await createProgram(() => true);
}, 60_000);

describe('every command', () => {
  test('has a name, a description, documented options and an example in its help', () => {
    expect(program.commands.map((command) => command.name())).toEqual(commands.map(({ name }) => name));
    for (const command of program.commands.flatMap((each) =>
      each.commands.length === 0 ? [each] : each.commands,
    )) {
      expect(command.description(), command.name()).not.toBe('');
      for (const option of command.options) expect(option.description, option.flags).not.toBe('');
      expect(helpOf(command)).toMatch(/^Example/m);
    }
  });

  test.each(shells)('is completed in %s', (shell) => {
    const script = completionScript(program, shell);
    for (const { name } of commands) expect(script).toContain(name);
  });
});

test.each([
  [['ed'], 'edges'],
  [['--ver'], '--version'],
  [['edges', '--peers'], '--peers-of'],
  [['allowlist', 'der'], 'derive'],
  [['run', 'dig'], 'digest'],
  [['edges', '--action', 'd'], 'deny'],
  [['edges', '--denied', '--act'], '--action'],
])('bash completes %j', async (words, expected) => {
  const script = `${completionScript(program, 'bash')}
COMP_WORDS=(flow-trail "$@"); COMP_CWORD=$#; _flow_trail; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout } = await promisify(execFile)('bash', ['-c', script, 'bash', ...words]);
  expect(stdout.trim().split('\n')).toEqual([expected]);
});

function helpOf(command: Command): string {
  let help = '';
  command
    .configureOutput({
      writeOut: (text) => {
        help += text;
      },
    })
    .outputHelp();
  return help;
}

/** Whether the shell is installed; the tests load the script in the real shell. */
async function isInstalled(shell: string): Promise<boolean> {
  return promisify(execFile)(shell, ['-c', 'exit']).then(
    () => true,
    () => false,
  );
}

test.runIf(await isInstalled('fish')).each([
  ['ed', 'edges'],
  ['--ver', '--version'],
  ['edges --peers', '--peers-of'],
  ['edges --action d', 'deny'],
])('fish completes %j', async (line, expected) => {
  const script = `${completionScript(program, 'fish')}\ncomplete -C ${JSON.stringify(`flow-trail ${line}`)}`;
  const { stdout } = await promisify(execFile)('fish', ['-c', script]);
  expect(
    stdout
      .trim()
      .split('\n')
      .map((found) => found.split('\t')[0]),
  ).toEqual([expected]);
});

test.runIf(await isInstalled('zsh'))('zsh completes with the file in fpath at its first call', async () => {
  const folder = await folderOfTest();
  await writeFile(join(folder, '_flow-trail'), completionScript(program, 'zsh'));
  const script = `fpath=($1); autoload -Uz _flow-trail; compdef() { :; }
    _describe() { print -rl -- \${(P)2}; }
    words=(flow-trail edges --action d); CURRENT=4; _flow-trail
    words=(flow-trail at --); CURRENT=3; _flow-trail
    words=(flow-trail --); CURRENT=2; _flow-trail`;
  const { stdout } = await promisify(execFile)('zsh', ['-f', '-c', script, 'zsh', folder]);
  const completed = stdout.trim().split('\n');
  expect(completed).toEqual(expect.arrayContaining(['deny', '--version:print the version']));
  // Colons after the first are part of the description.
  const from = program.commands
    .find((command) => command.name() === 'at')
    ?.options.find(({ long }) => long === '--from');
  expect(from?.description).toContain(':');
  expect(completed).toContain(`--from:${from?.description}`);
});
