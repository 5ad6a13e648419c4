import { Command } from 'commander';
import { readVersion } from '../config/version.ts';
import { printableLines } from '../text/printable.ts';
import { commands, type CommandEntry } from './commands.ts';
import { usageHint } from './input/usage-hints.ts';

/** The command line with only the given commands loaded; the others have only a name and a summary, for the help text. */
export async function createProgram(isWanted: (entry: CommandEntry) => boolean): Promise<Command> {
  const program = new Command('flow-trail')
    .description(
      'Shows which services talk to each other, since when, and whether policy allows it, based on stored flows from Calico Goldmane.',
    )
    .version(`flow-trail ${readVersion()}`, '-V, --version', 'print the version')
    .configureHelp(wrapped)
    .configureOutput({
      getOutHelpWidth: () => helpWidth(process.stdout),
      getErrHelpWidth: () => helpWidth(process.stderr),
      writeErr: (text) => process.stderr.write(printableLines(text)),
    })
    .addHelpText('after', programHelp);
  for (const entry of commands) {
    const command = isWanted(entry) ? await entry.load() : new Command(entry.name);
    if (entry.alias !== undefined) command.alias(entry.alias);
    program.addCommand(command.summary(entry.summary).helpGroup(entry.group));
  }
  for (const command of [program, ...program.commands.flatMap((each) => [each, ...each.commands])])
    command
      .copyInheritedSettings(program)
      .configureOutput({
        outputError: (text, write) => {
          const hint = usageHint(command, text, process.argv.slice(2));
          write(hint === undefined ? text : `${text}(${hint})\n`);
        },
      })
      .exitOverride()
      .showHelpAfterError(`(${pathOf(command)} --help shows the usage)`);
  // The same list whether or not the commands are loaded, with room for the summaries.
  return program.configureHelp({
    ...wrapped,
    subcommandTerm: (command) => [command.name(), ...command.aliases()].join('|'),
  });
}

/** The terminal's width; in a pipe, COLUMNS, as `man` and `git` use it. */
function helpWidth({ isTTY, columns }: { isTTY?: boolean; columns?: number }): number {
  const width = isTTY === true ? columns : Number(process.env['COLUMNS']);
  return width !== undefined && Number.isInteger(width) && width >= narrowestHelp ? width : 80;
}

const narrowestHelp = 20;
/** Descriptions are wrapped in narrow terminals too. */
const wrapped = { minWidthToWrap: narrowestHelp };

const programHelp = `
Exit codes: 0 success, 1 failure, 2 wrong options or settings, 3 success, but
the result needs attention.
Times: an age (90m, 24h, 7d), 22:00, "22:00 UTC", yesterday, "mon 22:00",
2026-01-31, "2026-01-31 08:00", or a time as printed by a command. They are in TIME_ZONE or
this machine's time zone; --json uses UTC.

Examples:
  flow-trail edges --src immich              what immich talks to
  flow-trail edges --denied --new-since 24h  what was first denied in the last day
  flow-trail at immich --from 03:00          what immich has done since 03:00
  flow-trail health                          what is wrong, and how to fix it`;

function pathOf(command: Command): string {
  const names: string[] = [];
  for (let each: Command | null = command; each; each = each.parent) names.unshift(each.name());
  return names.join(' ');
}
