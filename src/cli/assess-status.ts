import { freshSeconds } from '../coverage/observed.ts';
import { bucketSeconds } from '../time/bucket.ts';
import { clockDifference } from '../reports/health/clock-difference.ts';
import { foreignSupervisor } from '../reports/health/temporal-checks.ts';
import type { TrailStatus } from '../workflows/status.ts';
import type { SupervisorNow } from './ask-supervisor.ts';

export interface Ages {
  /** Since the end of the newest streamed bucket. */
  lagSeconds: number | undefined;
  /** Since the newest data of either reader. In a cluster without traffic, settled buckets count. */
  dataAgeSeconds: number | undefined;
  /** Since a reader last reported. */
  reportAgeSeconds: number | undefined;
}

/** @param nowMs the trail's clock, milliseconds since the epoch */
export function agesOf(status: TrailStatus | undefined, nowMs: number): Ages {
  const newest = secondsSince(status?.newestBucket, nowMs);
  const settled = secondsSince(status?.settledUpTo, nowMs);
  const lagSeconds = newest === undefined ? undefined : Math.max(0, newest - bucketSeconds);
  // A bucket is settled six minutes after its end.
  const settledLag = settled === undefined ? undefined : Math.max(0, settled - freshSeconds);
  return {
    lagSeconds,
    dataAgeSeconds: least(lagSeconds, settledLag),
    reportAgeSeconds: least(
      secondsSince(status?.stream.asOf, nowMs),
      secondsSince(status?.settle.asOf, nowMs),
    ),
  };
}

/** The problem that the supervisor and the database belong to different trails, if they do. */
export function trailProblem(supervisor: SupervisorNow | undefined, trailId: string | undefined): string[] {
  const foreign = supervisor && foreignSupervisor(supervisor, trailId);
  return foreign ? [`The supervisor ${foreign.what}. ${foreign.cure}.`] : [];
}

/**
 * @param nowMs as for `agesOf`
 * @returns each problem with what to do; empty while the trail is being recorded
 */
export function problemsOf(
  supervisor: SupervisorNow | undefined,
  { dataAgeSeconds: age, reportAgeSeconds: reported }: Ages,
  nowMs: number,
): string[] {
  if (!supervisor)
    return [
      'The supervisor does not exist. Start a worker, or correct TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE.',
    ];
  const { state, problem, paused, status, unanswered, readers } = supervisor;
  if (state === 'PAUSED' && paused !== undefined) return [paused];
  if (state !== 'RUNNING')
    return [
      `The supervisor is ${state}. A running worker restarts it within a minute; check whether a worker runs (its log and /readyz).`,
    ];
  const problems: string[] = [];
  if (problem)
    problems.push(
      `The supervisor is stuck: its workflow task fails with ${problem.cause} (attempt ${problem.attempt}${problem.message === '' ? '' : `: ${problem.message}`}). ${
        problem.isPermanent
          ? 'A worker replaces it once it is two minutes old; no data is lost.'
          : 'Check the log of the worker.'
      }`,
    );
  if (unanswered !== undefined) problems.push(unanswered);
  if (paused !== undefined) problems.push(paused);
  if (!status) return problems;
  // A reader reports its error, and reports nothing while the next attempt connects.
  const failures = readers.flatMap(({ lastFailure, progress }) =>
    lastFailure !== undefined && progress?.state !== 'connected' && progress?.error === undefined
      ? [lastFailure]
      : [],
  );
  problems.push(...new Set([...(status.lastError === undefined ? [] : [status.lastError]), ...failures]));
  if (age === undefined) {
    // The first report with data comes up to a minute after the start.
    const supervised = secondsSince(status.supervisedSince, nowMs);
    if (supervised !== undefined && supervised >= freshSeconds)
      problems.push(
        `No data has arrived since the supervisor started ${supervised} s ago. Check the readers' last errors and Goldmane.`,
      );
  } else if (age >= freshSeconds)
    problems.push(`The newest data is ${age} s old. Check the readers' last errors and Goldmane.`);
  if (reported !== undefined && reported >= freshSeconds)
    problems.push(`No reader has reported for ${reported} s. Check whether the worker runs.`);
  return problems;
}

/** @param aheadMs how far this machine's clock is ahead of the database's; undefined if that is unknown */
export function clockProblem(aheadMs: number | undefined): string[] {
  const difference = clockDifference(aheadMs ?? 0);
  return difference === undefined
    ? []
    : [
        `This machine's clock is ${difference} the database's, so the ages shown are wrong. Synchronise both clocks (NTP).`,
      ];
}

function secondsSince(time: string | undefined, nowMs: number): number | undefined {
  return time === undefined ? undefined : Math.round((nowMs - Date.parse(time)) / 1000);
}

function least(...values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
}
