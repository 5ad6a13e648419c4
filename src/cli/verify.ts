import { Command } from 'commander';
import { counted } from '../text/counted.ts';
import type { Difference } from '../trail/verify.ts';
import { exitCodes } from './output/exit-codes.ts';
import { print, printOutput } from './output/output.ts';
import { withOpenDatabase } from './connect/with-database.ts';

export function verifyCommand(): Command {
  return new Command('verify')
    .description(
      'Check that the tables are consistent: edges match their facts, coverage has no holes, and each announcement has an edge. Exits with 3 if not.',
    )
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  flow-trail verify')
    .action(async ({ json }: { json?: boolean }) => {
      const differences = await askVerify();
      if (json === true) printOutput('verify', differences);
      else if (differences.length === 0) print('The tables are consistent.');
      else
        for (const { rule, rows, examples } of differences) {
          print(`Inconsistent: ${rule} (${counted(rows, 'row')})`);
          for (const example of examples) print(`  ${example}`);
        }
      if (differences.length > 0) process.exitCode = exitCodes.finding;
    });
}

/** @returns the rules that do not hold @throws ConfigFailure, DatabaseFailure */
export async function askVerify(): Promise<Difference[]> {
  const { verify } = await import('../trail/verify.ts');
  return withOpenDatabase((database) => verify(database), { isReadOnly: true });
}
