import type { Command } from 'commander';
import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { commands } from '../../../src/cli/commands.ts';
import { createProgram } from '../../../src/cli/program.ts';
import { mergeCapture } from '../../support/captured-trail.ts';
import { flowTrailInProcess } from '../../support/cli-in-process.ts';
import { databasePerFile } from '../../support/database.ts';
import { claimHolds } from '../finding.ts';
import { fuzz } from './budget.ts';

/** These commands run until they are stopped, or have effects outside the test. */
const excluded = new Set(['aggregate', 'codec-server', 'mcp', 'copy-certificates']);
/** Options and arguments that name files are omitted: generated paths could be anywhere on this machine. */
const namesFile = /out|file|path|dir|polic|certificate/i;
const exitCodes = [0, 1, 2, 3];

const db = databasePerFile();
beforeAll(() => mergeCapture(db.database));

const hostile = fc.oneof(
  fc.constantFrom(
    '',
    '-',
    '--',
    '*',
    '%',
    "'; drop table edge; --",
    '$(id)',
    '`id`',
    '${HOME}',
    '../../etc/passwd',
    '\u001b[31mred',
    '\u202Ereversed',
    '\u0000',
    '\r\nSet-Cookie: a=b',
    '=1+1',
    'NaN',
    'Infinity',
    '-1',
    '0',
    '1e309',
    '99999999999999999999',
    '2026-02-30',
    '24h',
    '-24h',
    '0000-00-00',
    '+275760-09-13',
    'all',
    'immich',
    'dbaas',
    '🐈',
    'a'.repeat(300),
    '{"a":1}',
    '[]',
    '\ud800',
  ),
  fc.string({ maxLength: 30, unit: 'binary' }),
  fc
    .date({ noInvalidDate: false })
    .map((date) => String(Number.isNaN(date.getTime()) ? date : date.toISOString())),
);

/** Path, options and number of arguments of every tested command and subcommand. */
async function grammars(): Promise<{ path: string[]; options: string[]; takesArguments: number }[]> {
  const program = await createProgram(() => true);
  const of = (
    command: Command,
    path: string[],
  ): { path: string[]; options: string[]; takesArguments: number }[] => [
    {
      path,
      options: command.options
        .filter(({ long }) => long !== undefined && !namesFile.test(long))
        .map(({ long }) => long ?? ''),
      takesArguments: command.registeredArguments.filter((each) => !namesFile.test(each.name())).length,
    },
    ...command.commands.flatMap((each) => of(each, [...path, each.name()])),
  ];
  return program.commands
    .filter(
      (command) => !excluded.has(command.name()) && commands.some(({ name }) => name === command.name()),
    )
    .flatMap((command) => of(command, [command.name()]));
}

test('command line: any options and arguments lead to a documented exit code and a printable message', async (context) => {
  const known = await grammars();
  const lines = fc.constantFrom(...known).chain(({ path, options, takesArguments }) =>
    fc
      .tuple(
        fc.array(hostile, { maxLength: takesArguments + 1 }),
        fc.array(fc.tuple(fc.constantFrom(...options, '--json', '--no-such-option'), fc.option(hostile)), {
          maxLength: 4,
        }),
      )
      .map(([args, given]) => [
        ...path,
        ...args,
        ...given.flatMap(([name, value]) => (value === null ? [name] : [name, value])),
      ]),
  );
  const env = {
    DATABASE_URL: db.url,
    FLOW_TRAIL_STATE_DIR: '/nonexistent',
    // Nothing listens there, so commands that query Temporal fail immediately.
    TEMPORAL_ADDRESS: '127.0.0.1:1',
  };
  const codes = new Map<number, number>();
  const cases = await fuzz(lines, async (line) => {
    const { code, out, err } = await flowTrailInProcess(line, env);
    codes.set(code, (codes.get(code) ?? 0) + 1);
    expect(exitCodes).toContain(code);
    expect(err).not.toMatch(/\n\s+at \S+ \(|node:internal|TypeError|RangeError|SyntaxError/);
    expect(isPrintable(err)).toBe(true);
    expect(isPrintable(out)).toBe(true);
    if (code !== 0 && code !== 3) expect((out + err).trim()).not.toBe('');
  });
  const counts = [...codes].toSorted(([a], [b]) => a - b).map(([code, count]) => `${count} x ${code}`);
  claimHolds(context, `${cases}; exit codes ${counts.join(', ')}`);
});

/** Whether the text has no control characters except line ends and tabs, and no bidirectional ones. */
function isPrintable(text: string): boolean {
  // eslint-disable-next-line no-control-regex
  return !/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/.test(text);
}
