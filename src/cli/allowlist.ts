import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Command } from 'commander';
import { loadReportConfig } from '../config/config.ts';
import { makeAllowlist } from '../queries/allowlist.ts';
import type { Artefact } from '../policy/derive/emit.ts';
import { listAllowlists, readAllowlistFiles } from '../trail/allowlist-store.ts';
import { allowlistInput, identityLabel, type DeriveArguments } from './allowlist-options.ts';
import { formatTable, formatTime, print, printJson } from './output.ts';
import { parseLimit, usageFailure } from './usage-error.ts';
import { withDatabase } from './with-database.ts';

const namedFiles = 3;

export function allowlistCommand(): Command {
  return new Command('allowlist')
    .description('network policies, and the runbook’s queries, from what was observed; nothing is applied')
    .addCommand(deriveCommand())
    .addCommand(showCommand())
    .addCommand(listCommand());
}

function deriveCommand(): Command {
  return new Command('derive')
    .description(
      'derives from the database, and prints or writes files; keeps nothing (the workflow deriveAllowlist does)',
    )
    .argument('[namespaces...]', 'all where none is named')
    .option('--since <time>', 'whole days (UTC) from how long ago (14d) or a time; from the beginning')
    .option('--until <time>', 'until when; now')
    .option('--direction <which>', 'egress, ingress or both', 'egress')
    .option(
      '--format <format>',
      'text, json, csv, kubernetes, calico, calico-staged or kubernetes-staged',
      'kubernetes',
    )
    .option('--minimum-days <days>', 'covered days before a namespace may be called complete', '7')
    .option('--no-externals', 'do not list hosts and addresses outside, one by one')
    .option('--no-identities', 'select whole namespaces, not service identities')
    .option('--all-ports', 'let what had more ports than are told apart become a rule for all ports')
    .option('--baseline <names>', 'add what was not observed: dns, databases, redis, separated by commas')
    .option('--dns-address <cidr>', 'add an address at which DNS is asked; may be repeated', collect, [])
    .option('--tier <name>', 'Calico’s tier')
    .option('--order <number>', 'Calico’s order within the tier')
    .option('--out <folder>', 'write the files there instead of printing them')
    .action(async (namespaces: string[], options: DeriveArguments & { out?: string }) => {
      const input = allowlistInput(namespaces, options, new Date());
      const thresholds = loadReportConfig(process.env).jobs.completeness;
      const { summary, artefacts } = await withDatabase((query) =>
        makeAllowlist(query, input, { identityLabel: identityLabel(), thresholds }),
      );
      for (const { namespace, why } of summary.without) say(`nothing for ${namespace}: ${why}`);
      if (summary.withoutCount > summary.without.length)
        say(`nothing for ${summary.withoutCount - summary.without.length} more namespaces`);
      await handOut(artefacts, options.out);
    });
}

function showCommand(): Command {
  return new Command('show')
    .description('prints the files of an allowlist that the workflow derived, or writes them')
    .argument('<id>', 'its allowlistId, as the workflow’s result tells it')
    .option('--file <path>', 'only this one')
    .option('--out <folder>', 'write the files there instead of printing them')
    .action(async (id: string, { file, out }: { file?: string; out?: string }) => {
      const files = await withDatabase((query) => readAllowlistFiles(query, id));
      if (files === undefined)
        throw usageFailure(`allowlist ${id}`, 'is not there; `flow-trail allowlist list` tells which are');
      const wanted = files.filter(({ path }) => file === undefined || path === file);
      if (wanted.length === 0 && file !== undefined)
        throw usageFailure(
          '--file',
          `cannot be "${file}"; there are ${files.map(({ path }) => path).join(', ')}`,
        );
      await handOut(wanted, out);
    });
}

function listCommand(): Command {
  return new Command('list')
    .description('the allowlists that were derived by the workflow, newest first')
    .option('--limit <count>', 'at most so many', '20')
    .option('--json', 'as JSON')
    .action(async ({ limit, json }: { limit: string; json?: boolean }) => {
      const count = parseLimit('--limit', limit);
      const found = await withDatabase((query) => listAllowlists(query, count));
      if (json === true) return printJson(found);
      print(
        formatTable(
          ['ALLOWLIST', 'MADE', 'INPUT'],
          found.map(({ allowlistId, madeAt, input }) => [
            allowlistId,
            formatTime(madeAt),
            JSON.stringify(input),
          ]),
        ),
      );
      if (found.length === 0) print('(none was derived yet)');
    });
}

async function handOut(files: readonly Artefact[], out: string | undefined): Promise<void> {
  if (out !== undefined) {
    await mkdir(out, { recursive: true });
    for (const { path, content } of files) await writeFile(join(out, path), content);
    say(`wrote ${files.length} ${files.length === 1 ? 'file' : 'files'} to ${out}`);
    return;
  }
  const [first, ...others] = files;
  if (first === undefined) return say('there is nothing to print');
  const named = files.slice(0, namedFiles).map(({ path }) => path);
  if (others.length > 0 && !first.path.endsWith('.yaml'))
    throw usageFailure(
      '--out',
      `is needed: these are ${files.length} files, ${named.join(', ')}${files.length > named.length ? ' and so on' : ''}`,
    );
  process.stdout.write(files.map(({ content }) => content).join('---\n'));
}

/** Beside what is printed, so that it can be piped. */
function say(text: string): void {
  process.stderr.write(`flow-trail: ${text}\n`);
}

function collect(value: string, all: string[]): string[] {
  return [...all, value];
}
