import type { Command } from 'commander';

export const shells = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof shells)[number];

/** Words that can follow a command: its options and subcommands, including those of subcommands. */
interface Completed {
  name: string;
  summary: string;
  words: Word[];
}

interface Word {
  word: string;
  description: string;
  /** An option with choices. */
  values?: readonly string[];
}

/** @param program with all commands loaded */
export function completionScript(program: Command, shell: Shell): string {
  const commands = program.commands.map((command): Completed => ({
    name: command.name(),
    summary: command.summary(),
    words: distinctWords([
      ...command.commands.flatMap((each) => [nameOf(each), ...wordsOf(each)]),
      ...wordsOf(command),
    ]),
  }));
  const options = wordsOf(program);
  switch (shell) {
    case 'bash':
      return bash(commands, options);
    case 'zsh':
      return zsh(commands, options);
    case 'fish':
      return fish(commands, options);
  }
}

function nameOf(command: Command): Word {
  return { word: command.name(), description: command.description() };
}

function wordsOf(command: Command): Completed['words'] {
  const choices = command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? []);
  return [
    ...choices.map((word) => ({ word, description: '' })),
    ...command.options.flatMap(({ long, description, argChoices }) =>
      long === undefined || long === null
        ? []
        : [{ word: long, description, ...(argChoices === undefined ? {} : { values: argChoices }) }],
    ),
  ];
}

function distinctWords(words: Completed['words']): Completed['words'] {
  return [...new Map(words.map((entry) => [entry.word, entry])).values()];
}

/** Each option with choices, keyed by command and option. */
function optionValues(commands: readonly Completed[]): { at: string; values: readonly string[] }[] {
  return commands.flatMap(({ name, words }) =>
    words.flatMap(({ word, values }) => (values === undefined ? [] : [{ at: `${name} ${word}`, values }])),
  );
}

function bash(commands: readonly Completed[], options: readonly Word[]): string {
  const cases = commands.map(
    ({ name, words }) => `    ${name}) words='${words.map(({ word }) => word).join(' ')} --help' ;;`,
  );
  const values = optionValues(commands).map(
    (option) => `    '${option.at}') words='${option.values.join(' ')}' ;;`,
  );
  return `_flow_trail() {
  local words=''
  case "\${COMP_WORDS[1]} \${COMP_WORDS[COMP_CWORD-1]}" in
${values.join('\n')}
  esac
  if [ -n "$words" ]; then
    :
  elif [ "$COMP_CWORD" -eq 1 ]; then
    words='${[...commands.map(({ name }) => name), ...options.map(({ word }) => word)].join(' ')} --help'
  else
    case "\${COMP_WORDS[1]}" in
${cases.map((line) => `  ${line}`).join('\n')}
      *) words='' ;;
    esac
  fi
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _flow_trail flow-trail
`;
}

function zsh(commands: readonly Completed[], options: readonly Word[]): string {
  // Only the first colon separates; later ones belong to the description.
  const entries = (words: readonly Word[]) =>
    words.map(({ word, description }) => quoted(`${word}:${description}`)).join(' ');
  const cases = commands.map(({ name, words }) => `    ${name}) choices=(${entries(words)}) ;;`);
  const values = optionValues(commands).map(
    (option) => `    '${option.at}') choices=(${option.values.join(' ')}) ;;`,
  );
  return `#compdef flow-trail
_flow-trail() {
  local -a flow_trail_commands choices
  flow_trail_commands=(${entries([...commands.map(({ name, summary }) => ({ word: name, description: summary })), ...options])})
  if (( CURRENT == 2 )); then
    _describe command flow_trail_commands
    return
  fi
  case "\${words[2]} \${words[CURRENT-1]}" in
${values.join('\n')}
  esac
  if (( $#choices )); then
    _describe value choices
    return
  fi
  case "\${words[2]}" in
${cases.join('\n')}
  esac
  _describe option choices || _files
}
# In a file on fpath, this is the first call of the function defined here.
if [[ "\${funcstack[1]}" == _flow-trail ]]; then
  _flow-trail "$@"
else
  compdef _flow-trail flow-trail
fi
`;
}

function fish(commands: readonly Completed[], options: readonly Word[]): string {
  const top = options.map(
    ({ word, description }) =>
      `complete -c flow-trail -n __fish_use_subcommand -l ${word.slice(2)} -d ${quoted(description)}`,
  );
  const lines = commands.flatMap(({ name, summary, words }) => [
    `complete -c flow-trail -n __fish_use_subcommand -f -a ${name} -d ${quoted(summary)}`,
    ...words.map(({ word, description, values }) => {
      const choices = values === undefined ? '' : ` -x -a ${quoted(values.join(' '))}`;
      const argument = word.startsWith('--') ? `-l ${word.slice(2)}${choices}` : `-a ${word}`;
      return `complete -c flow-trail -n '__fish_seen_subcommand_from ${name}' ${argument} -d ${quoted(description)}`;
    }),
  ]);
  return `${[...top, ...lines].join('\n')}\n`;
}

/** In single quotes, as bash, zsh and fish read them. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", '’')}'`;
}
