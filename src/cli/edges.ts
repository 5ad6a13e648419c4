import { Command, Option } from 'commander';
import { peersIn, type Peer } from '../queries/peers.ts';
import { findUnknownNamespaces } from '../queries/unknown-namespaces.ts';
import { allEdges, queryEdges } from '../trail/query-edges.ts';
import { queryFacts } from '../trail/query-facts.ts';
import { printCut } from './cut.ts';
import { flowActions, printFacts, toJsonFact } from './facts.ts';
import { formatTime, printTable } from './output.ts';
import { parseLimit, parseNamespace, parsePort, parseSince } from './parse-options.ts';
import { displayTimeZone } from './time-zone.ts';
import { printEdges } from './print-edges.ts';
import { noteUnknownNamespaces } from './unknown-namespaces.ts';
import { usageFailure } from './usage-error.ts';
import { withDatabase } from './with-database.ts';

interface EdgesOptions {
  ns?: string;
  src?: string;
  dst?: string;
  peersOf?: string;
  newSince?: string;
  action?: string;
  denied?: boolean;
  identity?: string | true;
  port?: string | true;
  reporter?: string | true;
  external?: boolean;
  withoutWorkload?: boolean;
  json?: boolean;
  limit: string;
}

export function edgesCommand(): Command {
  return new Command('edges')
    .description(
      'Show who talks to whom: one line per pair of namespaces and action, newest first. All filters must match.',
    )
    .option('--ns <namespace>', 'source or destination')
    .option('--src <namespace>', 'source')
    .option('--dst <namespace>', 'destination')
    .option('--peers-of <namespace>', 'list the distinct namespaces that it talks to or that talk to it')
    .option('--new-since <time>', 'first seen since: how long ago (24h, 7d) or a time')
    .addOption(new Option('--action <action>', 'what policy decided').choices(flowActions))
    .option('--denied', 'the same as --action deny')
    .option('--identity [name]', 'one line per flow fact; with a name, only this service identity')
    .option('--port [port]', 'one line per flow fact; with a port (5432, udp/53, many), only this port')
    .option('--reporter [end]', 'one line per flow fact; with src or dst, only what this end reported')
    .option('--external', 'one line per flow fact with a host, network or network set at one end')
    .option(
      '--without-workload',
      'only edges with a network set at one end, counted by version 0.1.0 or older',
    )
    .option('--limit <count>', 'at most this many lines, the newest', '200')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
FLOWS counts distinct records: one per kind of connection and 15 seconds.
Facts are known for settled time only; an edge that was only streamed has none yet.

Examples:
  flow-trail edges --src immich                  what immich talks to
  flow-trail edges --dst dbaas --port            who reaches the database, on which port
  flow-trail edges --peers-of authentik          its peers, in both directions
  flow-trail edges --denied --new-since 24h      what was denied for the first time since yesterday
  flow-trail edges --external --src immich       which addresses outside of the cluster it uses`,
    )
    .action(async (options: EdgesOptions) => {
      const limit = parseLimit('--limit', options.limit);
      const asJson = options.json === true;
      const ends = readEnds(options);
      const timeZone = displayTimeZone();
      const filter = {
        ...ends,
        ...(options.newSince === undefined
          ? {}
          : { newSince: parseSince('--new-since', options.newSince, new Date(), timeZone) }),
        ...readAction(options),
        ...(options.withoutWorkload === undefined ? {} : { withoutWorkload: options.withoutWorkload }),
      };
      const detail = readDetail(options);
      const asked = [ends.ns, ends.src, ends.dst];
      if (detail === undefined) {
        // Peers are counted over all edges, whatever the limit.
        const edgeLimit = options.peersOf === undefined ? limit + 1 : allEdges;
        const { found, unknown } = await withDatabase(async (query) => ({
          found: await queryEdges(query, { ...filter, limit: edgeLimit }),
          unknown: await findUnknownNamespaces(query, asked),
        }));
        if (options.peersOf === undefined) printCut(found, { limit, asJson, show: printEdges });
        else printCut(peersIn(found, options.peersOf), { limit, asJson, show: printPeers });
        return noteUnknownNamespaces(unknown);
      }
      const { found, unknown } = await withDatabase(async (query) => ({
        found: await queryFacts(query, { ...filter, ...detail, limit: limit + 1 }),
        unknown: await findUnknownNamespaces(query, asked),
      }));
      printCut(found, { limit, asJson, show: printFacts, toJson: toJsonFact });
      noteUnknownNamespaces(unknown);
    });
}

function readEnds({ ns, src, dst, peersOf }: EdgesOptions): { ns?: string; src?: string; dst?: string } {
  if (peersOf !== undefined && ns !== undefined)
    throw usageFailure('--peers-of', 'cannot be combined with --ns; give one of them');
  return {
    ...(ns === undefined ? {} : { ns: parseNamespace('--ns', ns) }),
    ...(peersOf === undefined ? {} : { ns: parseNamespace('--peers-of', peersOf) }),
    ...(src === undefined ? {} : { src: parseNamespace('--src', src) }),
    ...(dst === undefined ? {} : { dst: parseNamespace('--dst', dst) }),
  };
}

function readAction({ action, denied }: EdgesOptions): { action?: string } {
  if (denied !== true) return action === undefined ? {} : { action };
  if (action !== undefined && action !== 'deny')
    throw usageFailure('--denied', `contradicts --action ${action}; give one of them`);
  return { action: 'deny' };
}

/** Filters on flow facts; undefined where only edges are asked for. */
function readDetail({ identity, port, reporter, external, peersOf, withoutWorkload }: EdgesOptions) {
  if ([identity, port, reporter, external].every((option) => option === undefined)) return undefined;
  if (peersOf !== undefined || withoutWorkload === true)
    throw usageFailure(
      peersOf === undefined ? '--without-workload' : '--peers-of',
      'lists edges and cannot be combined with --identity, --port, --reporter or --external',
    );
  if (typeof reporter === 'string' && !['src', 'dst'].includes(reporter))
    throw usageFailure('--reporter', `"${reporter}" is not an end of a flow; give src or dst`);
  const { port: number, protocol } =
    typeof port === 'string' ? parsePort('--port', port) : { port: undefined, protocol: undefined };
  return {
    external: external ?? false,
    ...(typeof identity === 'string' ? { identity } : {}),
    ...(number === undefined ? {} : { port: number }),
    ...(protocol === undefined ? {} : { protocol }),
    ...(typeof reporter === 'string' ? { reporter } : {}),
  };
}

function printPeers(peers: readonly Peer[]): void {
  printTable(
    ['PEER', 'DIRECTION', 'ACTIONS', 'FIRST SEEN', 'LAST SEEN', 'FLOWS'],
    peers.map(({ namespace, direction, actions, firstSeen, lastSeen, flowCount }) => [
      namespace,
      direction,
      actions.join(','),
      formatTime(firstSeen),
      formatTime(lastSeen),
      flowCount,
    ]),
  );
}
