import { Command } from 'commander';
import { periodOf } from '../queries/allowlist.ts';
import { explainPair, type ExplainedFact } from '../policy/derive/explain.ts';
import { readEvidence, readTracedEvidence } from '../trail/evidence.ts';
import { formatTable, formatTime, print, printJson } from './output.ts';
import { parseSince } from './usage-error.ts';
import { withDatabase } from './with-database.ts';

export function explainCommand(): Command {
  return new Command('explain')
    .description(
      'everything known of one pair of namespaces: ports, identities, who reported what, since when, by which policy',
    )
    .argument('<source>', 'namespace, or namespace/service-identity')
    .argument('<destination>', 'namespace, or namespace/service-identity')
    .option('--since <time>', 'whole days (UTC) from how long ago (24h, 7d) or a time', '30d')
    .option('--json', 'as JSON')
    .action(
      async (source: string, destination: string, { since, json }: { since: string; json?: boolean }) => {
        const now = new Date();
        const [src, dst] = [parseEnd(source), parseEnd(destination)];
        const period = periodOf({
          since: parseSince('--since', since, now).toISOString(),
          until: now.toISOString(),
        });
        const explained = await withDatabase(async (query) => {
          const facts = await readEvidence(query, period, [src.ns]);
          const traced = await readTracedEvidence(query, { ...period, srcNs: src.ns, dstNs: dst.ns });
          const fits = (end: { ns: string; identity: string }, wanted: ReturnType<typeof parseEnd>) =>
            end.ns === wanted.ns && (wanted.identity === undefined || end.identity === wanted.identity);
          return explainPair(
            facts.filter((fact) => fits(fact.src, src) && fits(fact.dst, dst)),
            traced,
          );
        });
        if (json === true) return printJson(explained);
        if (explained.length === 0)
          return print(`(nothing was observed from ${source} to ${destination} in the period)`);
        print(
          formatTable(
            ['FROM', 'TO', 'PORT', 'REPORTED BY', 'ACTION', 'FIRST SEEN', 'LAST SEEN', 'DAYS', 'FLOWS'],
            explained.map(row),
          ),
        );
        print('\nby which policy:');
        for (const fact of explained)
          for (const { policy, flowCount, lastSeconds } of fact.decidedBy)
            print(
              `  ${fact.src} -> ${fact.dst} ${fact.port}, ${fact.reporter} ${fact.action}: ${policy} (${flowCount} flows, until ${time(lastSeconds)})`,
            );
        for (const { src: from, dst: to, port, note } of explained)
          if (note !== undefined) print(`\n${from} -> ${to} ${port}: ${note}`);
      },
    );
}

function parseEnd(text: string): { ns: string; identity: string | undefined } {
  const [ns = '', identity] = text.split('/');
  return { ns, identity };
}

function row({
  src,
  dst,
  port,
  reporter,
  action,
  firstSeconds,
  lastSeconds,
  days,
  flowCount,
}: ExplainedFact): string[] {
  return [
    src,
    dst,
    port,
    reporter === 'src' ? 'source' : reporter === 'dst' ? 'destination' : 'unknown',
    action,
    time(firstSeconds),
    time(lastSeconds),
    String(days),
    String(flowCount),
  ];
}

function time(seconds: number): string {
  return formatTime(new Date(seconds * 1000));
}
