#!/usr/bin/env node
import { Command, CommanderError } from 'commander';
import { isFailure } from '../failure/failure.ts';
import { aggregateCommand } from './aggregate.ts';
import { certificatesCommand } from './certificates.ts';
import { completenessCommand } from './completeness.ts';
import { mapCommand } from './map.ts';
import { coverageCommand } from './coverage.ts';
import { digestCommand } from './digest.ts';
import { edgesCommand } from './edges.ts';
import { runCommand } from './run.ts';
import { allowlistCommand } from './allowlist.ts';
import { explainCommand } from './explain.ts';
import { useLocalStack } from './local-stack.ts';
import { driftCommand, replayCommand } from './replay.ts';
import { stagedCommand } from './staged.ts';
import { statusCommand } from './status.ts';

const program = new Command('flow-trail')
  .description(
    'Which service talks to which, since when, and is it allowed: asks the trail of Calico Goldmane flows.',
  )
  .addCommand(edgesCommand())
  .addCommand(statusCommand())
  .addCommand(coverageCommand())
  .addCommand(explainCommand())
  .addCommand(mapCommand())
  .addCommand(allowlistCommand())
  .addCommand(replayCommand())
  .addCommand(driftCommand())
  .addCommand(stagedCommand())
  .addCommand(certificatesCommand())
  .addCommand(completenessCommand())
  .addCommand(aggregateCommand())
  .addCommand(digestCommand())
  .addCommand(runCommand());
for (const command of [program, ...program.commands.flatMap((each) => [each, ...each.commands])])
  command.exitOverride().showHelpAfterError(`(${helpOf(command)} lists what there is)`);

program.hook('preAction', (_, command) => {
  // A container's worker gets its servers from its settings alone.
  if (command.name() === 'aggregate') return;
  useLocalStack(process.env, (line) => process.stderr.write(`flow-trail: ${line}\n`));
});

// Who reads on may have seen enough: `flow-trail edges | head`.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
});

try {
  await program.parseAsync(process.argv);
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2;
  else tell(error);
}

/** Wrong settings and options exit with 2, what could not be asked with 1. */
function tell(error: unknown): void {
  if (!isFailure(error)) throw error;
  process.stderr.write(`flow-trail: ${error.message}\n`);
  process.exitCode = error.system === 'command' || error.system === 'settings' ? 2 : 1;
}

function helpOf(command: Command): string {
  const names: string[] = [];
  for (let each: Command | null = command; each; each = each.parent) names.unshift(each.name());
  return `${names.join(' ')} --help`;
}
