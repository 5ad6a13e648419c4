import type { Command } from 'commander';

/** Options of other commands and other tools, with what they may be called here. */
const otherNames: Record<string, readonly string[]> = {
  '--since': ['--from', '--new-since', '--before'],
  '--after': ['--since', '--from', '--new-since'],
  '--from': ['--src', '--since', '--new-since'],
  '--to': ['--dst', '--until'],
  '--until': ['--to'],
  '--before': ['--until', '--to'],
  '--namespace': ['--ns'],
  '-n': ['--ns', '--namespace'],
  '--ns': ['--namespace', '--src', '--dst'],
  '--source': ['--src'],
  '--destination': ['--dst'],
  '--dest': ['--dst'],
  '-o': ['--json', '--out'],
  '--format': ['--json'],
  '-f': ['--output', '--out'],
  '--deny': ['--denied'],
};

/** The subcommand to which an argument of the command probably belongs. */
const usualSubcommands: Record<string, string> = { allowlist: 'derive NAMESPACE', digest: 'show TIME' };

/**
 * What to write instead, for an error message of commander that has no suggestion; undefined if nothing is known.
 * @param message as commander formats it
 * @param given the arguments of the command line
 */
export function usageHint(command: Command, message: string, given: readonly string[]): string | undefined {
  if (message.includes('Did you mean')) return undefined;
  const names = command.options.filter(({ hidden }) => !hidden).flatMap(({ long, short }) => [long, short]);
  const unknown = /^error: unknown option '(-[^'=]*)/.exec(message)?.[1];
  if (unknown !== undefined) {
    const possible = (otherNames[unknown] ?? []).filter((name) => names.includes(name));
    return possible.length > 0 ? `Did you mean ${possible.join(' or ')}?` : undefined;
  }
  const required = /^error: required option '(--[^ ']*)/.exec(message)?.[1];
  if (required !== undefined) {
    const instead = given.find((name) => !names.includes(name) && otherNames[name]?.includes(required));
    return instead === undefined ? undefined : `Did you mean ${required} instead of ${instead}?`;
  }
  const subcommand = usualSubcommands[command.name()];
  if (/^error: (unknown command|too many arguments)/.test(message) && subcommand !== undefined)
    return `Did you mean flow-trail ${command.name()} ${subcommand}?`;
  if (message.startsWith('error: too many arguments') && command.name() === 'edges')
    return 'Did you mean flow-trail explain SOURCE DESTINATION, or --src and --dst?';
  const filter = ['--ns', '--namespace', '--src'].find((name) => names.includes(name));
  if (message.startsWith('error: too many arguments') && filter !== undefined)
    return `Write a namespace as an option: ${filter} NAMESPACE`;
  return undefined;
}
