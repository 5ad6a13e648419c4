import type { Worker } from '@temporalio/worker';
import { runControlLoop, type ControlDeps } from './control-loop.ts';
import { pause } from './waiting.ts';

/**
 * Runs the workers and the control loop until the signal aborts or one of them fails; resolves once both have ended.
 */
export async function runUntilStopped(control: ControlDeps, signal: AbortSignal): Promise<void> {
  const { workers, attempts, exportAttempts, readiness } = control;
  const stopped = new AbortController();
  const running = runAll(workers, signal).finally(() => {
    readiness.set('shutting down', 'shutting down');
    stopped.abort();
  });
  const controlled = runControlLoop(control, AbortSignal.any([signal, stopped.signal])).finally(() =>
    stopAll(workers),
  );
  const results = await Promise.allSettled([running, controlled]);
  // Attempts of a failed worker are still running; they commit what they have.
  await Promise.all([attempts.endAll(), exportAttempts.endAll()]);
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}

/** Runs the workers until the signal aborts; when one fails, the others shut down too. */
async function runAll(workers: readonly Worker[], signal: AbortSignal): Promise<void> {
  const stop = () => stopAll(workers);
  const ended = new AbortController();
  const running = workers.map((worker) =>
    Promise.race([worker.run(), untilFailed(worker, ended.signal)]).finally(stop),
  );
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  const results = await Promise.allSettled(running);
  ended.abort();
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}

/**
 * Rejects when the worker has failed, for example because Temporal refused its polls for a minute. `run` does not
 * reject: it waits for activities whose results a failed worker no longer accepts. Such a worker can be neither shut
 * down nor reused.
 */
async function untilFailed(worker: Worker, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    if (worker.getState() === 'FAILED')
      throw new Error("Temporal rejected this worker's polls; the worker exits and must be restarted");
    await pause(1_000, signal);
  }
}

function stopAll(workers: readonly Worker[]): void {
  for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
}
