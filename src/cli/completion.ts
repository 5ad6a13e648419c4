import { Argument, Command } from 'commander';
import { completionScript, shells, type Shell } from './output/completion-script.ts';
import { printFile } from './output/output.ts';

export function completionCommand(): Command {
  return new Command('completion')
    .description('Print a script for your shell that completes commands and options.')
    .addArgument(new Argument('<shell>', 'the shell').choices(shells))
    .addHelpText(
      'after',
      `
Examples:
  bash  flow-trail completion bash > ~/.local/share/bash-completion/completions/flow-trail
  zsh   flow-trail completion zsh > "\${fpath[1]}/_flow-trail"
  fish  flow-trail completion fish > ~/.config/fish/completions/flow-trail.fish`,
    )
    .action(async (shell: Shell) => {
      const { createProgram } = await import('./program.ts');
      printFile(completionScript(await createProgram(() => true), shell));
    });
}
