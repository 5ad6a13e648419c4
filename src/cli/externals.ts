import { Command } from 'commander';
import { findUnknownNamespaces } from '../queries/unknown-names.ts';
import { queryFacts } from '../trail/facts/query-facts.ts';
import { printCut } from './output/cut.ts';
import { printFacts, toJsonFact } from './facts.ts';
import { note, printOutput } from './output/output.ts';
import { parseLimit, parseNamespace } from './input/parse-options.ts';
import { parsePast } from './input/parse-time.ts';
import { namespaceOf } from './input/namespace-argument.ts';
import { noteUnknownNames } from './output/unknown-names.ts';
import { answerGapNotes } from './output/answer-gap-notes.ts';
import { withDatabase } from './connect/with-database.ts';

/** The options of `flow-trail externals`, as text. */
interface ExternalsQuestion {
  ns?: string | undefined;
  since?: string | undefined;
  newSince?: string | undefined;
  limit: string;
}

export function externalsCommand(): Command {
  return new Command('externals')
    .description(
      'Show flows between namespaces and hosts, networks or network sets, newest first. Such flows are not counted in edges.',
    )
    .argument('[namespace]', 'same as --ns')
    .option('--ns <namespace>', 'only flows of this namespace')
    .option('--since <time>', 'seen since, as an age (24h, 7d) or a time (22:00, "yesterday 22:00")')
    .option('--new-since <time>', 'first seen since')
    .option('--limit <count>', 'maximum number of lines, newest first', '200')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
Single addresses are not stored: an endpoint is pub, pvt, host or the name of a
network set. A flow is listed when its time is settled, after about six minutes.

Examples:
  flow-trail externals immich --since 22:00
  flow-trail externals --new-since 24h`,
    )
    .action(async (argument: string | undefined, given: ExternalsQuestion & { json?: boolean }) => {
      const { json, ...question } = { ...given, ns: namespaceOf(argument, given.ns) };
      const { found, limit, unknown, unobserved } = await askExternals(question);
      printCut(found, {
        limit,
        asJson: json === true,
        show: (rows) => printFacts(rows, limit),
        showJson: (rows) => printOutput('facts', rows.map(toJsonFact)),
      });
      for (const text of unobserved) note(text);
      noteUnknownNames(unknown);
    });
}

/** @returns one more row than `limit` if there are more. @throws UsageFailure, DatabaseFailure */
export function askExternals({ ns, since, newSince, limit: limitText }: ExternalsQuestion) {
  const limit = parseLimit('--limit', limitText);
  const filter = {
    ...(ns === undefined ? {} : { ns: parseNamespace('--ns', ns) }),
    ...(since === undefined ? {} : { seenSince: parsePast('--since', since) }),
    ...(newSince === undefined ? {} : { newSince: parsePast('--new-since', newSince) }),
  };
  return withDatabase(async (query) => ({
    limit,
    found: await queryFacts(query, { ...filter, external: true, limit: limit + 1 }),
    unknown: await findUnknownNamespaces(query, [ns]),
    unobserved: await answerGapNotes(query, [filter.seenSince, filter.newSince], { isOfFacts: true }),
  }));
}
