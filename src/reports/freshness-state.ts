import { minuteMs } from '../time/units.ts';
import { counted } from '../text/counted.ts';
import type { FreshnessFacts } from '../trail/jobs/freshness.ts';
import type { Severity } from '../coverage/severity.ts';
import { crashLoopOf } from './crash-loop.ts';

/** The verdict of the job `freshness`. */
export type FreshnessState =
  | 'good'
  /** Nothing has been merged yet, and the trail is only minutes old. */
  | 'beginning'
  | 'never_merged'
  | 'late'
  /** Neither reader makes progress; records are lost unless this is repaired within Goldmane's hour. */
  | 'stalled'
  /** The stream delivers records, but no bucket is settled. */
  | 'settling_late'
  | 'settling_stalled'
  /** Buckets are settled, but the stream delivers nothing. */
  | 'stream_late'
  /** A stored time is in the future. */
  | 'clock_ahead'
  /** Workers end unexpectedly again and again, but the trail makes progress in between. */
  | 'crashing';

interface FreshnessOptions {
  /** By the trail's clock. */
  nowMs: number;
  warnMinutes: number;
  pageMinutes: number;
  formatTime: (time: Date) => string;
}

/** The finding, its cause and what to do, in sentences with full stops. */
export interface FreshnessVerdict {
  state: FreshnessState;
  severity: Severity;
  what: string;
  /** Empty when the state is good. */
  cause: string;
  /** Which data is lost, and since when; empty when the state is good. */
  remembered: string;
  /** Minutes since the last progress of the stalled part, or since the trail began. */
  minutes: number;
}

const settlingWarnMinutes = 15;
const streamWarnMinutes = 15;
/** Two minutes of buckets with records; fewer may contain only late flows. */
const missedByStreamLimit = 8;
const bucketMs = 15_000;
/** Buckets are listed for the last time at 55 minutes. */
const listableMs = 55 * minuteMs;

const neverCure =
  'Check that Goldmane is enabled (kubectl get goldmane,whisker -A) and that calico-node was rolled out with FELIX_FLOWLOGSGOLDMANESERVER; `flow-trail status` shows the state of the readers.';
const unknownCause =
  'The readers reported no problem. Check that the workflow flow-trail/supervisor is running; `flow-trail status` shows its state.';

/** Evaluates the trail as a whole, then settling and the stream separately, then crashes of the workers and the
 * clock; the worst finding is the verdict. Progress means
 * merging or settling a bucket, even an empty one, because a quiet cluster has empty buckets.
 * Pure.
 */
export function assessFreshness(facts: FreshnessFacts, options: FreshnessOptions): FreshnessVerdict {
  const overall = assessProgress(facts, options);
  if (overall.severity === 'critical') return overall;
  const settling = assessSettling(facts, options);
  if (settling?.severity === 'critical') return settling;
  if (overall.severity === 'warning') return overall;
  return (
    settling ??
    assessStream(facts, options) ??
    assessCrashes(facts, options) ??
    assessClock(facts, options) ??
    overall
  );
}

function assessCrashes(
  { crashes }: FreshnessFacts,
  { formatTime }: FreshnessOptions,
): FreshnessVerdict | undefined {
  const loop = crashLoopOf(crashes, formatTime);
  return loop && { state: 'crashing', severity: 'warning', ...loop, remembered: '', minutes: 0 };
}

function assessSettling(facts: FreshnessFacts, options: FreshnessOptions): FreshnessVerdict | undefined {
  const { nowMs, pageMinutes, formatTime } = options;
  const { lastProgressAt, lastSettledAt, since } = facts;
  if (!lastProgressAt) return undefined;
  const minutes = Math.floor((nowMs - (lastSettledAt ?? since).getTime()) / minuteMs);
  if (minutes < settlingWarnMinutes) return undefined;
  const isCritical = minutes >= pageMinutes;
  return {
    state: isCritical ? 'settling_stalled' : 'settling_late',
    severity: isCritical ? 'critical' : 'warning',
    what: `No bucket has been settled for ${counted(minutes, 'minute')}${lastSettledAt ? `, since ${formatTime(lastSettledAt)}` : ''}. The stream still delivers records, but it misses about 5 % of them.`,
    cause: causeOf(facts, formatTime),
    remembered: dataLossText(facts, options),
    minutes,
  };
}

function assessStream(facts: FreshnessFacts, options: FreshnessOptions): FreshnessVerdict | undefined {
  const { nowMs, formatTime } = options;
  const { settledBucket, streamedBucket, since, missedByStream } = facts;
  if (!settledBucket || missedByStream < missedByStreamLimit) return undefined;
  const from = streamedBucket ?? since;
  if (settledBucket.getTime() - from.getTime() < streamWarnMinutes * minuteMs) return undefined;
  return {
    state: 'stream_late',
    severity: 'warning',
    what: `The stream has not delivered a complete bucket since ${formatTime(from)}; settling alone delivered ${counted(missedByStream, 'bucket')} with records. New edges appear six minutes late.`,
    cause: causeOf(facts, formatTime),
    remembered: '',
    minutes: Math.floor((nowMs - from.getTime()) / minuteMs),
  };
}

function assessClock(
  { futureAt }: FreshnessFacts,
  { nowMs, formatTime }: FreshnessOptions,
): FreshnessVerdict | undefined {
  if (!futureAt) return undefined;
  const minutes = Math.ceil((futureAt.getTime() - nowMs) / minuteMs);
  return {
    state: 'clock_ahead',
    severity: 'warning',
    what: `The ledger contains a time ${counted(minutes, 'minute')} in the future, ${formatTime(futureAt)}: the clock of a worker was ahead, or this clock is behind.`,
    cause: 'Check time synchronisation (NTP) on the nodes that run the worker.',
    remembered: '',
    minutes: 0,
  };
}

function assessProgress(facts: FreshnessFacts, options: FreshnessOptions): FreshnessVerdict {
  const { nowMs, warnMinutes, pageMinutes, formatTime } = options;
  const { lastProgressAt, since } = facts;
  const isFuture = !lastProgressAt && facts.futureAt !== undefined;
  const sinceMs = isFuture ? 0 : nowMs - (lastProgressAt ?? since).getTime();
  const minutes = Math.max(0, Math.floor(sinceMs / minuteMs));
  const isLate = sinceMs >= warnMinutes * minuteMs;
  const isStalled = sinceMs >= pageMinutes * minuteMs;
  if (!isLate)
    return {
      state: lastProgressAt ? 'good' : 'beginning',
      severity: 'good',
      what: lastProgressAt
        ? `All data up to ${formatTime(facts.newestBucket ?? lastProgressAt)} has been merged.`
        : `Nothing has been merged yet; the trail began at ${formatTime(since)}.`,
      cause: '',
      remembered: '',
      minutes,
    };
  const never = `Nothing has been merged since the trail began at ${formatTime(since)}, ${counted(minutes, 'minute')} ago.`;
  return {
    state: isStalled ? 'stalled' : lastProgressAt ? 'late' : 'never_merged',
    severity: isStalled ? 'critical' : 'warning',
    what: lastProgressAt
      ? `Nothing has been merged or settled for ${counted(minutes, 'minute')}, since ${formatTime(lastProgressAt)}.`
      : never,
    cause: causeOf(facts, formatTime),
    remembered: dataLossText(facts, options),
    minutes,
  };
}

function causeOf(
  { trouble, gapCause, lastProgressAt, crashes }: FreshnessFacts,
  formatTime: (time: Date) => string,
): string {
  const loop = crashLoopOf(crashes, formatTime);
  if (loop) return `${loop.what} ${loop.cause}`;
  if (trouble) return `${sentence(trouble.what)} (Last seen at ${formatTime(trouble.at)}.)`;
  if (gapCause !== undefined) return `${sentence(gapCause)} ${neverCure}`;
  return lastProgressAt ? unknownCause : neverCure;
}

function dataLossText({ settledBucket }: FreshnessFacts, { nowMs, formatTime }: FreshnessOptions): string {
  if (!settledBucket)
    return 'No bucket has been settled yet. Goldmane keeps one hour of records; older records will be missing.';
  const settledUntil = new Date(settledBucket.getTime() + bucketMs);
  const bufferEndsAt = new Date(settledUntil.getTime() + listableMs);
  return bufferEndsAt.getTime() > nowMs
    ? `Nothing is lost yet: Goldmane keeps the missing records until ${formatTime(bufferEndsAt)}.`
    : `Goldmane’s buffer has expired: from ${formatTime(settledUntil)} to ${formatTime(new Date(nowMs - listableMs))} only streamed records remain.`;
}

function sentence(text: string): string {
  return /[.!?)]$/.test(text) ? text : `${text}.`;
}
