import { Command, Option } from 'commander';
import type { Peer } from '../queries/peers.ts';
import {
  mergeFound,
  otherDenialTexts,
  readEdgesQuestion,
  type EdgesQuestion,
  type FoundInClusters,
} from './ask-edges.ts';
import { askClusters, clusterCell, clusterHeader, parseClusters, type InCluster } from './clusters.ts';
import { printCut } from './output/cut.ts';
import { flowActions, printFacts, toJsonFact } from './facts.ts';
import type { OtherDenials } from '../trail/facts/other-denials.ts';
import { formatTime, note, printOutput, printTable } from './output/output.ts';
import { printEdges } from './output/print-edges.ts';
import { namespaceOf } from './input/namespace-argument.ts';
import { noteUnknownNames, unknownEverywhere } from './output/unknown-names.ts';
import { withDatabase } from './connect/with-database.ts';

interface EdgesOptions extends EdgesQuestion {
  cluster?: string;
  json?: boolean;
}

export function edgesCommand(): Command {
  return new Command('edges')
    .description(
      'Show who talks to whom: one line per pair of namespaces and action, newest first. All filters must match.',
    )
    .argument('[namespace]', 'same as --ns')
    .option('--ns <namespace>', 'source or destination')
    .option('--src <namespace>', 'source')
    .option('--dst <namespace>', 'destination')
    .option(
      '--peers-of <namespace>',
      'list the distinct namespaces that this namespace talks to or is called by',
    )
    .option('--since <time>', 'seen since, as an age (24h, 7d) or a time (22:00, "yesterday 22:00")')
    .option('--new-since <time>', 'first seen since: what is new')
    .option('--silent-since <time>', 'not seen since: what stopped')
    .addOption(new Option('--action <action>', 'the policy decision').choices(flowActions))
    .option('--denied', 'same as --action deny')
    .option('--identity [name]', 'one line per flow fact; with a name, only this service identity')
    .option('--port [port]', 'one line per flow fact; with a port (5432, udp/53, many), only this port')
    .option(
      '--reporter [endpoint]',
      'one line per flow fact; with src or dst, only flows reported by the source or destination',
    )
    .option(
      '--external',
      'one line per flow fact whose source or destination is a host, network or network set',
    )
    .option('--without-workload', 'only edges from or to a network set, counted by version 0.1.0 or older')
    .option(
      '--cluster <names>',
      'query these clusters, separated by commas; DATABASE_URL_<NAME> sets the database of each',
    )
    .option('--limit <count>', 'maximum number of lines, newest first', '200')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
FLOWS counts distinct records: one per connection type, reporter and 15 seconds.
A flow fact is the finest detail stored: service identities, port and reporter.
An edge gets its facts when its time is settled, after about six minutes.

Examples:
  flow-trail edges --src immich              what immich talks to
  flow-trail edges --dst dbaas --port        who reaches the database, on which port
  flow-trail edges --peers-of authentik      its peers, in both directions
  flow-trail edges --src immich --denied --since 2h
                                             what it was denied in the last two hours
  flow-trail edges --dst dbaas --new-since "yesterday 22:00"
                                             what has reached the database since then,
                                             but not before
  flow-trail edges immich --since 02:00 --silent-since 02:30
                                             what stopped between these times
  flow-trail edges --external --src immich   which addresses outside the cluster it uses
  flow-trail edges --cluster north,south     both clusters; uses DATABASE_URL_NORTH
                                             and DATABASE_URL_SOUTH`,
    )
    .action(async (argument: string | undefined, { json, cluster, ns, ...question }: EdgesOptions) => {
      const ask = readEdgesQuestion({ ...question, ns: namespaceOf(argument, ns) });
      if (cluster === undefined) {
        const { found, unknown, otherDenials, unobserved } = await withDatabase(ask);
        printFound(found, json === true);
        noteOtherDenials(otherDenials);
        for (const text of unobserved) note(text);
        return noteUnknownNames(unknown);
      }
      const answers = await askClusters(parseClusters('--cluster', cluster), ask);
      printFound(mergeFound(answers), json === true);
      for (const { cluster, answer } of answers) {
        noteOtherDenials(answer.otherDenials, cluster);
        for (const text of answer.unobserved) note(`cluster ${cluster}: ${text}`);
      }
      noteUnknownNames(unknownEverywhere(answers.map(({ answer }) => answer.unknown)));
    });
}

function noteOtherDenials(denials: OtherDenials | undefined, cluster?: string): void {
  const where = cluster === undefined ? '' : `cluster ${cluster}: `;
  for (const text of otherDenialTexts(denials)) note(`${where}${text}`);
}

function printFound(found: FoundInClusters, asJson: boolean): void {
  const { name, limit } = found;
  switch (name) {
    case 'edges':
      return printCut(found.rows, {
        limit,
        asJson,
        show: (rows) => printEdges(rows, limit),
        showJson: (rows) => printOutput(name, rows),
      });
    case 'peers':
      return printCut(found.rows, {
        limit,
        asJson,
        show: (rows) => printPeers(rows, limit),
        showJson: (rows) => printOutput(name, rows),
      });
    case 'facts':
      return printCut(found.rows, {
        limit,
        asJson,
        show: (rows) => printFacts(rows, limit),
        showJson: (rows) => printOutput(name, rows.map(toJsonFact)),
      });
  }
}

function printPeers(peers: readonly InCluster<Peer>[], limit: number): void {
  printTable(
    [...clusterHeader(peers), 'PEER', 'DIRECTION', 'ACTIONS', 'FIRST SEEN', 'LAST SEEN', 'FLOWS'],
    peers.map(({ cluster, namespace, direction, actions, firstSeen, lastSeen, flowCount }) => [
      ...clusterCell(cluster),
      namespace,
      direction,
      actions.join(','),
      formatTime(firstSeen),
      formatTime(lastSeen),
      flowCount,
    ]),
    { limit },
  );
}
