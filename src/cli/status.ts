import { Command } from 'commander';
import type { ReaderStatus, TrailStatus } from '../workflows/status.ts';
import type { SupervisorNow } from './ask-supervisor.ts';
import { exportAnswer, lastErrorOf } from './ask-database.ts';
import { agesOf, clockProblem, problemsOf, trailProblem, type Ages } from './assess-status.ts';
import { exitCodes } from './output/exit-codes.ts';
import type { CommandOutput } from './schemas/index.ts';
import { formatTable, formatTime, print, printOutput } from './output/output.ts';

export function statusCommand(): Command {
  return new Command('status')
    .description(
      'Show the state of the supervisor and both readers: lag, newest and settled buckets, gaps, errors. ' +
        'Exits with 3 unless the supervisor is running without errors and the data is younger than six minutes.',
    )
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExamples:\n  flow-trail status\n  flow-trail status --json | jq .problems')
    .action(async ({ json }: { json?: boolean }) => {
      const now = await askStatus();
      const { problems } = now;
      if (json === true) printOutput('status', statusAnswer(now));
      else print(formatStatus(now));
      if (problems.length > 0) process.exitCode = exitCodes.finding;
    });
}

/** @throws ConfigFailure, TemporalFailure */
export async function askStatus() {
  // Loads Temporal's client only when it is needed.
  const { askSupervisor } = await import('./ask-supervisor.ts');
  const { clockOf } = await import('../config/trail-clock.ts');
  const { askDatabase } = await import('./ask-database.ts');
  const [supervisor, database] = await Promise.all([askSupervisor(), askDatabase()]);
  const nowMs = clockOf(process.env).now();
  const ages = agesOf(supervisor?.status, nowMs);
  const problems = [
    ...trailProblem(supervisor, database?.trailId),
    ...problemsOf(supervisor, ages, nowMs),
    ...clockProblem(database?.clockAheadMs),
  ];
  return { supervisor, ages, problems, exported: database?.exported, limited: database?.limited };
}

type StatusNow = Awaited<ReturnType<typeof askStatus>>;

export function statusAnswer({
  supervisor,
  ages,
  problems,
  exported,
  limited,
}: StatusNow): CommandOutput<'status'> {
  const shown = {
    ...(exported ? { export: exportAnswer(exported) } : {}),
    ...(limited ? { limitedIdentities: limited } : {}),
  };
  if (!supervisor) return { ...ages, readers: [], supervisor: null, problems, ...shown };
  const { status, readers, paused: _inProblems, trailId: _compared, ...execution } = supervisor;
  return { ...status, ...ages, readers, supervisor: execution, problems, ...shown };
}

function formatStatus({ supervisor, ages, problems, exported, limited }: StatusNow): string {
  const cluster = process.env['CLUSTER_NAME']?.trim() ?? '';
  const lines: [string, string][] = [
    ...(cluster === '' ? [] : [['cluster', cluster] satisfies [string, string]]),
    ['supervisor', supervisor ? executionText(supervisor) : 'does not exist'],
    ...(supervisor?.status ? statusLines(supervisor.status, ages) : []),
    ...(supervisor?.readers ?? [])
      .filter(({ lastFailure }) => lastFailure !== undefined)
      .map(({ activity, attempt, lastFailure }): [string, string] => [
        activity,
        `attempt ${attempt}; the previous one failed: ${lastFailure}`,
      ]),
    ...limitedLines(limited),
    ...exportLines(exported),
    ...(problems.length === 0
      ? [['problems', 'none'] satisfies [string, string]]
      : problems.map((problem, index): [string, string] => [index === 0 ? 'problems' : '', problem])),
  ];
  return formatTable(['WHAT', 'STATE'], lines);
}

/** Nothing while no namespace has more identities than are stored. */
function limitedLines(limited: StatusNow['limited']): [string, string][] {
  if (!limited || limited.total === 0) return [];
  const { namespaces, total } = limited;
  return [
    [
      'limited identities',
      `namespaces with more service identities or network sets than are stored, in the last week: ${total}`,
    ],
    ...namespaces.map(({ namespace, firstAt, lastAt }): [string, string] => [
      '',
      `${namespace}: first ${formatTime(firstAt)}, last ${formatTime(lastAt)}`,
    ]),
    ...(total > namespaces.length
      ? [['', `and ${total - namespaces.length} more`] satisfies [string, string]]
      : []),
  ];
}

/** Nothing while no worker has exported anything: most trails do not. */
function exportLines(exported: StatusNow['exported']): [string, string][] {
  if (!exported || (!exported.isEnabled && exported.gaps.length === 0)) return [];
  const { isEnabled, receiver, activeAt, upToSeconds, waiting, gaps } = exported;
  const lastError = lastErrorOf(exported);
  return [
    ['export', isEnabled ? `to ${receiver ?? '-'}, as of ${activeAt ? formatTime(activeAt) : '-'}` : 'off'],
    ...(isEnabled
      ? ([
          ['  exported up to', upToSeconds === undefined ? '-' : formatTime(new Date(upToSeconds * 1_000))],
          ['  buckets waiting', String(waiting)],
        ] satisfies [string, string][])
      : []),
    ...(lastError === undefined ? [] : [['  last error', lastError] satisfies [string, string]]),
    ['  gaps of the export', String(gaps.length)],
    ...gaps.map(({ fromSeconds, toSeconds, cause, records }): [string, string] => [
      '',
      `${formatTime(new Date(fromSeconds * 1_000))} to ${formatTime(new Date(toSeconds * 1_000))}: ${cause}${records > 0 ? ` (${records} records)` : ''}`,
    ]),
  ];
}

function executionText({ state, startedAt, closedAt }: SupervisorNow): string {
  return closedAt
    ? `${state.toLowerCase()} since ${formatTime(closedAt)}`
    : `${state.toLowerCase()}, this run since ${formatTime(startedAt)}`;
}

/** Formats a time of the status. */
function timeOf(iso: string | undefined): string {
  return iso === undefined ? '-' : formatTime(new Date(iso));
}

function statusLines(status: TrailStatus, { reportAgeSeconds, dataAgeSeconds }: Ages): [string, string][] {
  return [
    ['supervised since', timeOf(status.supervisedSince)],
    ['last report', reportAgeSeconds === undefined ? '-' : `${reportAgeSeconds} s ago`],
    ['newest data', dataAgeSeconds === undefined ? '-' : `${dataAgeSeconds} s old`],
    ['stream', `${status.stream.state}, as of ${timeOf(status.stream.asOf)}`],
    ['  connected since', timeOf(status.stream.connectedSince)],
    ['  lag', status.lagSeconds === undefined ? '-' : `${status.lagSeconds} s when reported`],
    ['  newest bucket', timeOf(status.newestBucket)],
    ...failureOf(status.stream),
    ['settling', `${status.settle.state}, as of ${timeOf(status.settle.asOf)}`],
    ['  settled up to', timeOf(status.settledUpTo)],
    ...failureOf(status.settle),
    ['windows completed', String(status.windows)],
    ['records streamed', `${status.records} (in completed windows)`],
    ['missed by the stream', String(status.lateRecords)],
    [
      'edges',
      status.edges === undefined
        ? '-'
        : `${status.edges}, ${status.newEdges} of them new in completed windows`,
    ],
    ['gaps', String(status.gaps.length)],
    ...status.gaps.map(({ from, to, cause }): [string, string] => [
      '',
      `${timeOf(from)} to ${timeOf(to)}: ${cause}`,
    ]),
  ];
}

/** The current error, or the last error of the last completed window. */
function failureOf({ lastError, lastWindow }: ReaderStatus): [string, string][] {
  if (lastError !== undefined) return [['  last error', lastError]];
  if (lastWindow?.lastError === undefined) return [];
  return [['  earlier error', `in the window until ${timeOf(lastWindow.to)}: ${lastWindow.lastError}`]];
}
