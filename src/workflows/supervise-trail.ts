import {
  ActivityCancellationType,
  ActivityFailure,
  ApplicationFailure,
  CancellationScope,
  condition,
  continueAsNew,
  isCancellation,
  log,
  patched,
  proxyActivities,
  rootCause,
  setCurrentDetails,
  setDefaultSignalHandler,
  setHandler,
  sleep,
  upsertMemo,
  workflowInfo,
} from '@temporalio/workflow';
import { dayMs, minuteMs } from '../time/units.ts';
import type { Activities } from '../activities/index.ts';
import { currentDetails, stateText } from './details.ts';
import { freshWindowSignal, pauseSignal, progressSignal, resumeSignal, statusQuery } from './messages.ts';
import { readInput, readProgress, readSummary, textOf } from './received.ts';
import { withPause, withProgress, withSummary, type SupervisorInput, type TrailStatus } from './status.ts';
const defaultMaxBackoffMs = 30_000;
/**
 * A worker sends a heartbeat after four fifths of this timeout, and Temporal Cloud bills each as an action. The timeout is
 * a fallback: other workers detect a lost worker within a minute and fail its attempts (`worker/presence.ts`), and a
 * restarted worker fails its former attempts itself (`worker/running-attempts.ts`).
 */
const heartbeatTimeoutMs = 300_000;

const secondSupervisorType = 'temporal_second_supervisor';

type Reader = 'stream' | 'settle';

/**
 * Supervises the trail: two readers side by side, window after window. Each continues while the other fails: without
 * the stream, the trail is six minutes late but complete; without List, it is current but not settled.
 * Continues as new once a day.
 */
export async function superviseTrail(input?: SupervisorInput): Promise<void> {
  const options = readInput(input, new Date().toISOString());
  const windowMs = options.windowMs ?? 15 * minuteMs;
  const realWindowMs = windowMs / (options.speed ?? 1);
  const historyMs = (options.historyMs ?? dayMs) / (options.speed ?? 1);
  const maxBackoffMs = options.maxBackoffMs ?? defaultMaxBackoffMs;
  const activitiesOf = (summary: string) =>
    proxyActivities<Activities>({
      startToCloseTimeout: Math.max(realWindowMs + 5 * minuteMs, 2 * minuteMs),
      heartbeatTimeout: options.heartbeatTimeoutMs ?? heartbeatTimeoutMs,
      retry: { initialInterval: 1_000, backoffCoefficient: 2, maximumInterval: maxBackoffMs },
      cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
      summary,
    });
  const { streamFlows } = activitiesOf('Follow the stream for one window');
  const { settleBuckets } = activitiesOf('List buckets for one window');
  let { status } = options;
  let memoState = '';
  const windows = { stream: new CancellationScope(), settle: new CancellationScope() };
  const root = CancellationScope.current();
  let isEnding = false;

  const setStatus = (next: TrailStatus) => {
    status = next;
    setCurrentDetails(currentDetails(status));
    const state = stateText(status);
    if (state === memoState) return;
    memoState = state;
    upsertMemo({ state });
  };
  const endWindows = () => {
    windows.stream.cancel();
    windows.settle.cancel();
  };
  setCurrentDetails(currentDetails(status));

  setHandler(statusQuery, () => status, {
    description: 'State of both readers, totals of completed windows, newest gaps, last error',
  });
  setHandler(
    progressSignal,
    (received) => {
      // A worker's clock can differ from the server's; on a fast clock (tests) by any amount.
      const latestMs = options.speed === undefined ? Date.now() + dayMs : undefined;
      const progress = readProgress(received, latestMs);
      if (progress) setStatus(withProgress(status, progress));
      else log.warn('Ignored a malformed progress signal');
    },
    { description: 'Internal: sent by the readers when their state changes' },
  );
  setHandler(
    freshWindowSignal,
    () => {
      log.info('New windows requested');
      endWindows();
    },
    { description: 'Ends both windows and starts new ones, which read certificates and passwords again' },
  );
  setHandler(
    pauseSignal,
    (received) => {
      const reason = textOf(received);
      const since = status.paused?.since ?? new Date().toISOString();
      setStatus(withPause(status, reason === undefined ? { since } : { since, reason }));
      upsertMemo({ paused: status.paused });
      log.warn('Trail paused', { reason });
      endWindows();
    },
    { description: 'Stops both readers until the signal resume; optional argument: the reason' },
  );
  setHandler(
    resumeSignal,
    () => {
      if (status.paused === undefined) return;
      setStatus(withPause(status, undefined));
      upsertMemo({ paused: undefined });
      log.info('Trail resumed');
    },
    { description: 'Starts both readers again after pause' },
  );
  // Without this, the SDK buffers signals with unknown names.
  setDefaultSignalHandler((name) => log.warn('Ignored an unknown signal', { name }));

  const follow = async (reader: Reader, work: () => Promise<unknown>) => {
    while (!isEnding && !root.consideredCancelled) {
      if (status.paused) {
        await condition(() => status.paused === undefined || isEnding).catch(ignoreCancellation);
        continue;
      }
      const scope = windows[reader];
      try {
        const summary = readSummary(reader, await scope.run(work));
        if (summary) setStatus(withSummary(status, summary));
        else log.warn('Ignored a malformed summary of a window', { reader });
      } catch (error) {
        if (!isCancellation(error) && !(error instanceof ActivityFailure)) throw error;
        const cause = rootCause(error) ?? String(error);
        if (isSecondSupervisor(error)) throw ApplicationFailure.nonRetryable(cause, secondSupervisorType);
        // A cancelled window may fail with any error. Any other failure means that someone ended the retries; the next window
        // then starts after a delay.
        if (!scope.consideredCancelled) {
          const at = new Date().toISOString();
          setStatus(withProgress(status, { reader, at, state: 'failing', error: cause }));
          await scope
            .run(() => sleep(maxBackoffMs, { summary: 'Wait before the next window' }))
            .catch(ignoreCancellation);
        }
        log.info('Window ended without a summary', { reader, cause });
      }
      if (scope.consideredCancelled && !isEnding) windows[reader] = new CancellationScope();
      log.info('Window ended', { reader });
    }
  };

  const stream = follow('stream', () => streamFlows({ windowMs }));
  const settle = follow('settle', () => settleBuckets({ windowMs }));
  const isDue = () => workflowInfo().continueAsNewSuggested;
  try {
    await Promise.race([
      Promise.all([stream, settle]),
      condition(isDue, historyMs, { summary: 'Until continue-as-new' }),
    ]);
  } finally {
    // Both windows end and report before the next run starts or the supervisor closes, so that two streams never overlap.
    isEnding = true;
    if (patched('settling-ends-first')) {
      // Settling may receive its cancellation only with its next heartbeat, minutes later; the stream stays open until then.
      windows.settle.cancel();
      await CancellationScope.nonCancellable(() => settle);
    }
    endWindows();
    await CancellationScope.nonCancellable(() => Promise.all([stream, settle]));
  }
  // A cancellation that arrived while the windows ended would be lost by continue-as-new.
  if (root.consideredCancelled) await root.cancelRequested;
  await continueAsNew<typeof superviseTrail>({ ...options, status });
}

/**
 * The worker rejected the reader, because this workflow is not the trail's supervisor; it would reject a retry as well.
 */
function isSecondSupervisor(error: unknown): boolean {
  return (
    error instanceof ActivityFailure &&
    error.cause instanceof ApplicationFailure &&
    error.cause.type === secondSupervisorType
  );
}

function ignoreCancellation(error: unknown): void {
  if (!isCancellation(error)) throw error;
}
