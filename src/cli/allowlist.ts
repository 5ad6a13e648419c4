import { Command, Option } from 'commander';
import { loadPreviewConfig } from '../config/preview-config.ts';
import { makeAllowlist, type MadeAllowlist } from '../queries/allowlist.ts';
import { findUnknownNamespaces, type UnknownName } from '../queries/unknown-names.ts';
import type { Artefact } from '../policy/derive/emit.ts';
import { counted } from '../text/counted.ts';
import { listAllowlists, readAllowlistFiles, type StoredAllowlist } from '../trail/jobs/allowlist-store.ts';
import { allowlistInput, identityLabel, type DeriveArguments } from './input/allowlist-options.ts';
import { formatTable, formatTime, note, print, printFile, printOutput } from './output/output.ts';
import { parseLimit } from './input/parse-options.ts';
import { usageFailure } from './input/usage-error.ts';
import { noteUnknownNames } from './output/unknown-names.ts';
import { withDatabase } from './connect/with-database.ts';
import { writeFilesInto } from './output/write-files.ts';

const namedFiles = 3;

interface HandOut {
  out?: string;
  json?: boolean;
}

export function allowlistCommand(): Command {
  return new Command('allowlist')
    .description(
      'Derive network policies from observed flows, or run the allowlist queries of the runbook of goldmane-edge-aggregator. Nothing is applied.',
    )
    .addCommand(deriveCommand())
    .addCommand(showCommand())
    .addCommand(listCommand());
}

function deriveCommand(): Command {
  return new Command('derive')
    .description(
      'Derive policies and print them or write them to files; to store the result, run the workflow deriveAllowlist.',
    )
    .argument('[namespaces...]', 'namespaces to derive policies for; default: all')
    .option('--since <time>', 'start, as an age (14d) or a time; whole UTC days; default: the beginning')
    .option('--until <time>', 'end; default: now')
    .option('--direction <which>', 'egress, ingress or both', 'egress')
    .option(
      '--format <format>',
      'text, json, csv, kubernetes, calico, calico-staged or kubernetes-staged',
      'kubernetes',
    )
    .option('--minimum-days <days>', 'covered days required for a complete namespace, at least 7', '7')
    .option('--no-externals', 'do not list hosts and external addresses individually')
    .option('--no-identities', 'select whole namespaces instead of service identities')
    .option('--all-ports', 'allow all ports if more than PORT_CAP ports were observed')
    .option(
      '--baseline <names>',
      'add rules for dns, databases, redis (comma-separated); databases and redis only for namespaces seen using them',
    )
    .option(
      '--dns-address <cidr>',
      'allow DNS to this address, for example 10.96.0.10; repeatable; default: DNS_ADDRESSES',
      collect,
    )
    .option('--tier <name>', 'Calico tier')
    .option('--order <number>', 'Calico order within the tier')
    .option('--out <folder>', 'write files to this folder instead of printing them')
    .addOption(new Option('--json', 'print the files and a summary as JSON').conflicts('out'))
    .addHelpText(
      'after',
      `
Examples:
  flow-trail allowlist derive immich --baseline dns --dns-address 10.96.0.10
  flow-trail allowlist derive --format calico-staged --order 500 --out staged/`,
    )
    .action(async (namespaces: string[], { out, json, ...options }: DeriveArguments & HandOut) => {
      const { summary, artefacts, unknown } = await previewAllowlist(namespaces, options);
      noteUnknownNames(unknown);
      if (json === true) return printOutput('allowlist-derive', { summary, files: artefacts });
      for (const notice of summary.notices) note(`warning: ${notice}`);
      for (const { namespace, why } of summary.without) note(`no policy for ${namespace}: ${why}`);
      if (summary.withoutCount > summary.without.length)
        note(`no policy for ${counted(summary.withoutCount - summary.without.length, 'more namespace')}`);
      await handOut(artefacts, out);
      if (out !== undefined && summary.leftOut > 0)
        note(
          `${counted(summary.leftOut, 'observed combination')} of peer, protocol and port ${summary.leftOut === 1 ? 'has' : 'have'} no rule; the comments in each file say why`,
        );
    });
}

function showCommand(): Command {
  return new Command('show')
    .description('Print or write the files of an allowlist derived by the workflow.')
    .argument('<id>', 'the allowlistId in the workflow’s result')
    .option('--file <path>', 'print or write only this file')
    .option('--out <folder>', 'write files to this folder instead of printing them')
    .addOption(new Option('--json', 'print the files as JSON').conflicts('out'))
    .addHelpText('after', '\nExample (list shows the ids):\n  flow-trail allowlist show 12 --out policies/')
    .action(async (id: string, { file, out, json }: HandOut & { file?: string }) => {
      const files = await askAllowlistFiles(id);
      const wanted = files.filter(({ path }) => file === undefined || path === file);
      if (wanted.length === 0 && file !== undefined && files.length > 0)
        throw usageFailure(
          '--file',
          `cannot be "${file}"; use one of ${files.map(({ path }) => path).join(', ')}`,
        );
      if (json === true) return printOutput('allowlist-show', { allowlistId: id, files: wanted });
      await handOut(wanted, out);
    });
}

function listCommand(): Command {
  return new Command('list')
    .description('List the allowlists derived by the workflow, newest first.')
    .option('--limit <count>', 'maximum number of rows', '20')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  flow-trail allowlist list --limit 5')
    .action(async ({ limit, json }: { limit: string; json?: boolean }) => {
      const count = parseLimit('--limit', limit);
      const found = await askAllowlists(count);
      if (json === true) return printOutput('allowlist-list', found);
      print(
        formatTable(
          ['ALLOWLIST', 'MADE', 'INPUT'],
          found.map(({ allowlistId, madeAt, input }) => [
            allowlistId,
            formatTime(madeAt),
            JSON.stringify(input),
          ]),
          { limit: count },
        ),
      );
      if (found.length === 0) print('(none yet)');
    });
}

/** Derives an allowlist and stores nothing. @throws UsageFailure, ConfigFailure, DatabaseFailure */
export function previewAllowlist(
  namespaces: readonly string[],
  options: DeriveArguments,
): Promise<MadeAllowlist & { unknown: UnknownName[] }> {
  const input = allowlistInput(namespaces, options, new Date());
  const { jobs, dnsAddresses, clusterName } = loadPreviewConfig(process.env);
  return withDatabase(async (query) => ({
    ...(await makeAllowlist(query, input, {
      identityLabel: identityLabel(),
      clusterName,
      thresholds: jobs.completeness,
      dnsAddresses,
    })),
    unknown: await findUnknownNamespaces(query, namespaces),
  }));
}

/** The files of a stored allowlist. @throws UsageFailure, DatabaseFailure */
export async function askAllowlistFiles(id: string): Promise<Artefact[]> {
  const files = await withDatabase((query) => readAllowlistFiles(query, id));
  if (files === undefined)
    throw usageFailure(`allowlist ${id}`, 'does not exist; `flow-trail allowlist list` shows the ids');
  return files;
}

/** The stored allowlists, newest first. @throws DatabaseFailure */
export function askAllowlists(limit: number): Promise<StoredAllowlist[]> {
  return withDatabase((query) => listAllowlists(query, limit));
}

async function handOut(files: readonly Artefact[], out: string | undefined): Promise<void> {
  if (out !== undefined) {
    await writeFilesInto(out, files);
    note(`wrote ${counted(files.length, 'file')} to ${out}`);
    return;
  }
  const [first, ...others] = files;
  if (first === undefined) return note('no file was derived');
  const named = files.slice(0, namedFiles).map(({ path }) => path);
  if (others.length > 0 && !first.path.endsWith('.yaml'))
    throw usageFailure(
      '--out',
      `is missing; set a folder for ${files.length} files: ${named.join(', ')}${files.length > named.length ? ', …' : ''}`,
    );
  printFile(files.map(({ content }) => content).join('---\n'));
}

function collect(value: string, all: string[] = []): string[] {
  return [...all, value];
}
