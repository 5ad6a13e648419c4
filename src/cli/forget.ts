import { Command } from 'commander';
import { dayMs } from '../time/units.ts';
import { findUnknownNamespaces } from '../queries/unknown-names.ts';
import { print, printOutput, printTable } from './output/output.ts';
import { parseNamespace } from './input/parse-options.ts';
import { parseForUtcDays } from './input/parse-time.ts';
import { noteUnknownNames } from './output/unknown-names.ts';
import { usageFailure } from './input/usage-error.ts';
import { withOpenDatabase } from './connect/with-database.ts';

interface ForgetOptions {
  src: string;
  dst: string;
  before: string;
  apply?: boolean;
  json?: boolean;
}

export function forgetCommand(): Command {
  return new Command('forget')
    .description(
      'Remove the facts (ports, identities, days, policies) of one pair of namespaces before a given day; the edge and its count are kept.',
    )
    .requiredOption('--src <namespace>', 'required: source namespace; "" for flows without one')
    .requiredOption('--dst <namespace>', 'required: destination namespace; "" for flows without one')
    .requiredOption(
      '--before <time>',
      'required: a UTC day (2026-01-31) or an age (90d); that day and later days are kept',
    )
    .option('--apply', 'remove the facts; without this option nothing is changed')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
Examples:
  flow-trail forget --src immich --dst dbaas --before 90d
  flow-trail forget --src immich --dst dbaas --before 90d --apply`,
    )
    .action(async ({ src: srcText, dst: dstText, before, apply = false, json }: ForgetOptions) => {
      const [src, dst] = [parseEnd('--src', srcText), parseEnd('--dst', dstText)];
      const now = new Date();
      const beforeDay = Math.floor(parseForUtcDays('--before', before, now).getTime() / dayMs);
      if (beforeDay > Math.floor(now.getTime() / dayMs))
        throw usageFailure('--before', `${before} is in the future; use today or an earlier day`);
      const { removeFacts } = await import('../trail/facts/remove-facts.ts');
      const { removed, unknown } = await withOpenDatabase(async (database) => ({
        removed: await removeFacts(database, { srcNs: src, dstNs: dst, beforeDay }, { isDryRun: !apply }),
        unknown: await findUnknownNamespaces(
          database.query,
          [src, dst].filter((name) => name !== ''),
        ),
      }));
      noteUnknownNames(unknown);
      if (json === true) return printOutput('forget', { isDryRun: !apply, ...removed });
      const day = new Date(beforeDay * dayMs).toISOString().slice(0, 10);
      const { facts, factDays, flowCounts } = removed;
      print(
        `${apply ? 'Removed' : 'Would remove'} ${facts} facts and ${factDays} days of facts from "${src}" to "${dst}" before ${day}.`,
      );
      if (flowCounts.length > 0)
        printTable(
          ['ACTION', 'RECORDS'],
          flowCounts.map(({ action, flowCount }) => [action, flowCount]),
        );
      if (!apply) print('Nothing was changed. Add --apply to remove them.');
    });
}

/** Flows to and from outside the cluster have no namespace at that end. @throws UsageFailure */
function parseEnd(option: string, text: string): string {
  return text === '' ? '' : parseNamespace(option, text);
}
