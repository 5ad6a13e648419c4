import {
  ActivityCancellationType,
  ActivityFailure,
  CancellationScope,
  condition,
  continueAsNew,
  isCancellation,
  log,
  proxyActivities,
  rootCause,
  setHandler,
  sleep,
  upsertMemo,
  workflowInfo,
} from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import type { Progress, SettleSummary, StreamSummary } from '../ingest/summary.ts';
import { freshWindowSignal, progressSignal, statusQuery } from './messages.ts';
import { emptyStatus, withProgress, withSummary, type SupervisorInput, type TrailStatus } from './status.ts';

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;
const maxBackoffMs = 30_000;

/**
 * Supervises the trail: two readers side by side, window after window, for good. Each goes on when the other fails: without
 * the stream the trail is six minutes late but whole, without List it is quick but unsettled. Begins a new history daily.
 * Query `status`, signal `freshWindow`.
 */
export async function superviseTrail(input: SupervisorInput = {}): Promise<void> {
  const windowMs = input.windowMs ?? 15 * minuteMs;
  const realWindowMs = windowMs / (input.speed ?? 1);
  const historyMs = (input.historyMs ?? dayMs) / (input.speed ?? 1);
  const activities = proxyActivities<Activities>({
    startToCloseTimeout: Math.max(realWindowMs + 5 * minuteMs, 2 * minuteMs),
    heartbeatTimeout: input.heartbeatTimeoutMs ?? 30_000,
    retry: {
      initialInterval: 1_000,
      backoffCoefficient: 2,
      maximumInterval: input.maxBackoffMs ?? maxBackoffMs,
    },
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  });
  let status: TrailStatus = input.status ?? emptyStatus(new Date().toISOString());
  let memo = '';
  let windows = new CancellationScope();
  const root = CancellationScope.current();
  let isEnding = false;

  // Before the handlers: a signal that came with the first task is handled as soon as its handler is there.
  const showState = () => {
    const next = status.lastError === undefined ? 'following' : `failing: ${status.lastError}`;
    if (next === memo) return;
    memo = next;
    upsertMemo({ state: next });
  };

  setHandler(statusQuery, () => status);
  setHandler(progressSignal, (progress: Progress) => {
    status = withProgress(status, progress);
    showState();
  });
  setHandler(freshWindowSignal, () => {
    log.info('a fresh window was asked for');
    windows.cancel();
  });

  const follow = async (reader: 'stream' | 'settle', work: () => Promise<StreamSummary | SettleSummary>) => {
    while (!isEnding && !root.consideredCancelled) {
      const scope = windows;
      try {
        const summary = await scope.run(work);
        status = withSummary(status, summary);
        showState();
      } catch (error) {
        if (!isCancellation(error) && !(error instanceof ActivityFailure)) throw error;
        const cause = rootCause(error) ?? String(error);
        // What was asked to end may end in any way: cancelled before it could report, with a failure of its own, or
        // together with its worker. Else a failure comes here only when somebody ended its retries: the supervisor goes on.
        if (!scope.consideredCancelled) {
          status = withProgress(status, {
            reader,
            at: new Date().toISOString(),
            state: 'failing',
            error: cause,
          });
          showState();
          await scope.run(() => sleep(input.maxBackoffMs ?? maxBackoffMs)).catch(() => undefined);
        }
        log.info('a window ended without a summary', { reader, cause });
      }
      if (windows.consideredCancelled && !isEnding) windows = new CancellationScope();
      log.info('window ended', { reader });
    }
  };

  const readers = Promise.all([
    follow('stream', () => activities.streamFlows({ windowMs })),
    follow('settle', () => activities.settleBuckets({ windowMs })),
  ]);
  const isDue = () => workflowInfo().continueAsNewSuggested;
  try {
    await Promise.race([readers, condition(isDue, historyMs)]);
  } finally {
    // No stream may run on while the next history begins, or after the supervisor was cancelled: end both windows, and
    // wait for what they still report.
    isEnding = true;
    windows.cancel();
    await CancellationScope.nonCancellable(() => readers);
  }
  // Cancelled while the windows came to their end: a new history would forget it.
  if (root.consideredCancelled) await root.cancelRequested;
  await continueAsNew<typeof superviseTrail>({ ...input, status });
}
