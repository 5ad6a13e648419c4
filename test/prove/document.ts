import { execFile } from 'node:child_process';
import { homedir, hostname, tmpdir } from 'node:os';
import { arch, cpus, totalmem } from 'node:os';
import { promisify } from 'node:util';
import { alignColumns } from '../../bench/table.ts';
import { findPostgresBinaries } from '../../dev/postgres/binaries.ts';
import { findTemporal } from '../../dev/temporal/find.ts';
import { pgbouncerPath } from '../support/pgbouncer.ts';
import type { Finding } from './finding.ts';
import { root } from './parts.ts';

const execute = promisify(execFile);

export type Findings = Readonly<Record<string, readonly Finding[]>>;

export function formatFindings(parts: Findings): string {
  const cells = Object.entries(parts).flatMap(([part, findings]) =>
    findings.map(({ claim, result, verdict }) => [part, verdict, claim, result]),
  );
  return alignColumns([['part', '', 'claim', 'result'], ...cells]);
}

/** The content of docs/proof.md, without paths, hosts and users of this machine. */
export async function proofDocument(
  parts: Findings,
  { seed, minutes }: { seed: number; minutes: number },
): Promise<string> {
  const facts = [
    ['date', `${new Date().toISOString().slice(0, 16).replace('T', ' ')} UTC`],
    ['commit', await currentCommit()],
    ['seed', String(seed)],
    ['took', `${minutes} minutes`],
    ['machine', `${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB, ${arch()}`],
    ['Node', process.versions.node],
    ['PostgreSQL', (await findPostgresBinaries()).version],
    ['Temporal', await temporalVersion()],
    [
      'PgBouncer',
      pgbouncerPath === undefined ? 'not installed' : await versionOf(pgbouncerPath, ['--version']),
    ],
    ['Go', await versionOf('go', ['env', 'GOVERSION'])],
  ];
  const sections = Object.entries(parts).map(([part, findings]) =>
    [`## ${part}`, '', ...table([['claim', 'result', ''], ...findings.map(rowOf)])].join('\n'),
  );
  return [
    '# Proof',
    '',
    'Written by `npm run prove`; [testing.md](testing.md#proof) describes the parts. Times, CPU and memory were measured on this',
    'machine; on another one, only ratios are comparable.',
    '',
    ...table([['', ''], ...facts]),
    '',
    sections.join('\n\n'),
    '',
  ].join('\n');
}

/** Replaces names of this machine. */
export function anonymous(text: string): string {
  const names: [string, string][] = [
    [root, ''],
    [tmpdir(), '<tmp>'],
    [homedir(), '<home>'],
    [hostname(), '<host>'],
  ];
  return names.reduce(
    (rest, [name, instead]) => (name.length < 3 ? rest : rest.replaceAll(name, instead)),
    text,
  );
}

function rowOf({ claim, result, verdict }: Finding): string[] {
  return [claim, result, verdict];
}

function table(rows: readonly (readonly string[])[]): string[] {
  const lines = rows.map((cells) => `| ${cells.map(cell).join(' | ')} |`);
  const rule = `| ${(rows[0] ?? []).map(() => '---').join(' | ')} |`;
  return [lines[0] ?? '', rule, ...lines.slice(1)];
}

function cell(text: string): string {
  return anonymous(text).replaceAll(/\s+/g, ' ').replaceAll('|', '\\|').replaceAll('<', '&lt;');
}

/** With a remark if the working tree has uncommitted changes other than the proof itself. */
export async function currentCommit(): Promise<string> {
  const { stdout: head } = await execute('git', ['rev-parse', '--short=12', 'HEAD'], { cwd: root });
  const { stdout: changes } = await execute('git', ['status', '--porcelain'], { cwd: root });
  const changed = changes.split('\n').filter((line) => line !== '' && !line.endsWith(' docs/proof.md'));
  return head.trim() + (changed.length === 0 ? '' : ', with uncommitted changes');
}

async function temporalVersion(): Promise<string> {
  const program = await findTemporal({ log: () => undefined, signal: new AbortController().signal });
  return (await versionOf(program, ['--version'])).replace(/^temporal version /, '');
}

async function versionOf(command: string, args: readonly string[]): Promise<string> {
  try {
    const { stdout } = await execute(command, args);
    return stdout.split('\n')[0] ?? '';
  } catch {
    return 'not installed';
  }
}
