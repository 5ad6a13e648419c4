import { defaultPayloadConverter, WorkflowNotFoundError, type Payload } from '@temporalio/common';
import { Command } from 'commander';
import type { Progress } from '../activities/summary.ts';
import { supervisorWorkflowId } from '../names.ts';
import { explainNoAnswer, TemporalFailure } from '../worker/temporal-failure.ts';
import { temporalConfig } from '../worker/temporal-settings.ts';
import { connectClient, temporalAddress, temporalNamespace } from '../worker/temporal.ts';
import { statusQuery } from '../workflows/messages.ts';
import { withProgress, type ReaderStatus, type TrailStatus } from '../workflows/status.ts';
import { formatTable, print, printJson } from './output.ts';

const answerTimeoutMs = 10_000;

/** What a reader's present attempt says of itself: its heartbeat, and why the one before it failed. */
interface ReaderNow {
  activity: string;
  attempt: number;
  lastFailure: string | undefined;
  /** Newer than what the supervisor was told, at most as old as the heartbeat's throttle. */
  progress: Progress | undefined;
}

export function statusCommand(): Command {
  return new Command('status')
    .description(
      'what the supervisor knows: connected since, newest bucket, settled up to, lag, gaps, last error',
    )
    .option('--json', 'as JSON')
    .action(async ({ json }: { json?: boolean }) => {
      const { status, readers } = await askSupervisor();
      if (json === true) printJson({ ...status, readers });
      else print(formatStatus(status, readers));
      if (status.lastError !== undefined) process.exitCode = 3;
    });
}

async function askSupervisor(): Promise<{ status: TrailStatus; readers: ReaderNow[] }> {
  const config = temporalConfig();
  const [address, namespace] = [temporalAddress(config), temporalNamespace(config)];
  const { client, connection } = await connectClient(config);
  const inTime = <Answer>(ask: () => Promise<Answer>) =>
    connection.withDeadline(Date.now() + answerTimeoutMs, ask);
  try {
    const handle = client.workflow.getHandle(supervisorWorkflowId);
    const { raw } = await inTime(() => handle.describe());
    const readers = (raw.pendingActivities ?? []).map((pending) => ({
      activity: pending.activityType?.name ?? 'unknown',
      attempt: pending.attempt ?? 1,
      lastFailure: pending.lastFailure?.message ?? undefined,
      progress: heartbeatOf(pending.heartbeatDetails?.payloads?.[0]),
    }));
    const told = await inTime(() => handle.query(statusQuery)).catch((error: unknown) => {
      throw noWorker(readers, error);
    });
    let status = told;
    for (const { progress } of readers)
      if (progress && progress.at > status[progress.reader].asOf) status = withProgress(status, progress);
    return { status, readers };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError)
      throw new TemporalFailure(
        `There is no supervisor in namespace ${namespace} of Temporal at ${address}`,
        'start the worker, which starts it, or correct TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE',
      );
    throw explainNoAnswer(address, namespace, error);
  } finally {
    await connection.close();
  }
}

function heartbeatOf(payload: Payload | null | undefined): Progress | undefined {
  if (!payload) return undefined;
  const details: unknown = defaultPayloadConverter.fromPayload(payload);
  return isProgress(details) ? details : undefined;
}

function isProgress(details: unknown): details is Progress {
  return (
    typeof details === 'object' &&
    details !== null &&
    'reader' in details &&
    (details.reader === 'stream' || details.reader === 'settle') &&
    'at' in details &&
    typeof details.at === 'string' &&
    'state' in details
  );
}

/** Queries are answered by a worker: without one, Temporal still knows why the last attempts failed. */
function noWorker(readers: readonly ReaderNow[], error: unknown): TemporalFailure {
  const why = error instanceof Error ? error.message.split('\n')[0] : 'unknown error';
  const known = readers
    .filter(({ lastFailure }) => lastFailure !== undefined)
    .map(({ activity, lastFailure }) => ` ${activity} failed last with: ${lastFailure}`);
  return new TemporalFailure(
    `The supervisor is there, but no worker answers for it (${why})`,
    ['see whether the worker runs: its log, and /readyz.', ...known].join(''),
  );
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
