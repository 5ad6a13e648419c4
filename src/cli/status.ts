import { Command } from 'commander';
import type { ReaderStatus, TrailStatus } from '../workflows/status.ts';
import type { ReaderNow } from './ask-supervisor.ts';
import { formatTable, print, printJson } from './output.ts';

export function statusCommand(): Command {
  return new Command('status')
    .description(
      'what the supervisor knows: connected since, newest bucket, settled up to, lag, gaps, last error',
    )
    .option('--json', 'as JSON')
    .action(async ({ json }: { json?: boolean }) => {
      // Temporal's client is loaded by who asks it only.
      const { askSupervisor } = await import('./ask-supervisor.ts');
      const { status, readers } = await askSupervisor();
      if (json === true) printJson({ ...status, readers });
      else print(formatStatus(status, readers));
      if (status.lastError !== undefined) process.exitCode = 3;
    });
}

function formatStatus(status: TrailStatus, readers: readonly ReaderNow[]): string {
  const lines: [string, string][] = [
    ['supervised since', status.supervisedSince],
    ['stream', `${status.stream.state}, as of ${status.stream.asOf}`],
    ['  connected since', status.stream.connectedSince ?? '-'],
    ['  lag', status.lagSeconds === undefined ? '-' : `${status.lagSeconds} s`],
    ['  newest bucket', status.newestBucket ?? '-'],
    ...failureOf(status.stream),
    ['settling', `${status.settle.state}, as of ${status.settle.asOf}`],
    ['  settled up to', status.settledUpTo ?? '-'],
    ...failureOf(status.settle),
    ['windows completed', String(status.windows)],
    ['records streamed', `${status.records} (in completed windows)`],
    ['found by settling', String(status.lateRecords)],
    [
      'edges',
      status.edges === undefined
        ? '-'
        : `${status.edges}, ${status.newEdges} of them new in completed windows`,
    ],
    ['gaps', String(status.gaps.length)],
    ...status.gaps.map(({ from, to, cause }): [string, string] => ['', `${from} to ${to}: ${cause}`]),
    ...readers
      .filter(({ lastFailure }) => lastFailure !== undefined)
      .map(({ activity, attempt, lastFailure }): [string, string] => [
        activity,
        `attempt ${attempt}; the one before failed: ${lastFailure}`,
      ]),
    ['last error', status.lastError ?? 'none'],
  ];
  return formatTable(['WHAT', 'IS'], lines);
}

/** Why it fails now; else the last reason why it did in the last window that was completed. */
function failureOf({ lastError, lastWindow }: ReaderStatus): [string, string][] {
  if (lastError !== undefined) return [['  last error', lastError]];
  if (lastWindow?.lastError === undefined) return [];
  return [['  had trouble', `in the window until ${lastWindow.to}: ${lastWindow.lastError}`]];
}
