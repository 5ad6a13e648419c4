#!/usr/bin/env node
import { CommanderError } from 'commander';
import { extendConnectAttempts } from '../config/connect-attempts.ts';
import { isFailure } from '../failure/failure.ts';
import { exitCodes } from './output/exit-codes.ts';
import { choosesServer, useLocalStack } from './connect/local-stack.ts';
import { note } from './output/output.ts';
import { createProgram } from './program.ts';

// The reader of a pipe may close it early (`flow-trail edges | head`), and the disk of a file may be full.
for (const output of [process.stdout, process.stderr])
  output.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit();
    if (output === process.stdout)
      note(`cannot write to standard output: ${error.message}; write to another file`);
    process.exit(exitCodes.failure);
  });

extendConnectAttempts();

const [first, second] = process.argv.slice(2);
const wanted = first === 'help' ? second : first;

try {
  const program = await createProgram(({ name, alias }) => wanted === name || wanted === alias);
  program.hook('preAction', (_, command) => {
    // The worker uses only its own settings; completion needs none.
    if (!['aggregate', 'completion'].includes(command.name())) useLocalStack(process.env, note);
  });
  await program.parseAsync(process.argv);
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : exitCodes.usage;
  else report(error);
}

function report(error: unknown): void {
  if (!isFailure(error)) throw error;
  note(error.message);
  if (error.system === 'settings' && !choosesServer(process.env))
    note(
      'to try it on this machine without a cluster, run "npm start" and repeat the command in another terminal',
    );
  process.exitCode =
    error.system === 'command' || error.system === 'settings' ? exitCodes.usage : exitCodes.failure;
}
