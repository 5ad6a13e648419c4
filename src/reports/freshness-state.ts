import { counted } from '../text/counted.ts';
import type { FreshnessFacts } from '../trail/freshness.ts';
import type { Severity } from '../coverage/severity.ts';

/** One word for how fresh the trail is. */
export type FreshnessState =
  | 'good'
  /** Nothing was merged yet, and the trail is only minutes old. */
  | 'beginning'
  | 'never_merged'
  | 'late'
  /** Somebody has to act before Goldmane forgets. */
  | 'stalled';

export interface FreshnessOptions {
  /** By the trail's clock. */
  nowMs: number;
  warnMinutes: number;
  pageMinutes: number;
  formatTime: (time: Date) => string;
}

/** What is so, what is known of its cause, and what cures it; sentences, with their full stops. */
export interface FreshnessVerdict {
  state: FreshnessState;
  severity: Severity;
  what: string;
  /** Empty when nothing is the matter. */
  cause: string;
  /** What is lost, and from when on; empty when nothing is. */
  remembered: string;
  /** Minutes since anything was merged or settled, or since the trail began. */
  minutes: number;
}

const minuteMs = 60_000;
const bucketMs = 15_000;
/** What Goldmane had is asked for at 55 minutes for the last time (design: final). */
const rememberedMs = 55 * minuteMs;

const neverCure =
  'Confirm that Goldmane is enabled (kubectl get goldmane,whisker -A) and that calico-node rolled with the FELIX_FLOWLOGSGOLDMANESERVER env; `flow-trail status` shows what the readers do.';
const unknownCause =
  'No reader told of a trouble: see whether the workflow flow-trail/supervisor runs, and what `flow-trail status` shows.';

/**
 * Says how fresh the trail is. Progress is what was merged or settled, not records: a quiet cluster settles empty buckets.
 * Pure.
 */
export function judgeFreshness(facts: FreshnessFacts, options: FreshnessOptions): FreshnessVerdict {
  const { nowMs, warnMinutes, pageMinutes, formatTime } = options;
  const { lastProgressAt, since } = facts;
  const sinceMs = nowMs - (lastProgressAt ?? since).getTime();
  const minutes = Math.max(0, Math.floor(sinceMs / minuteMs));
  const isLate = sinceMs >= warnMinutes * minuteMs;
  const isStalled = sinceMs >= pageMinutes * minuteMs;
  if (!isLate)
    return {
      state: lastProgressAt ? 'good' : 'beginning',
      severity: 'good',
      what: lastProgressAt
        ? `The trail is merged up to ${formatTime(facts.newestBucket ?? lastProgressAt)}.`
        : `Nothing was merged yet; the trail began at ${formatTime(since)}.`,
      cause: '',
      remembered: '',
      minutes,
    };
  const never = `Nothing was ever merged, since the trail began at ${formatTime(since)}, ${counted(minutes, 'minute')} ago.`;
  return {
    state: isStalled ? 'stalled' : lastProgressAt ? 'late' : 'never_merged',
    severity: isStalled ? 'critical' : 'warning',
    what: lastProgressAt
      ? `Nothing was merged or settled for ${counted(minutes, 'minute')}, since ${formatTime(lastProgressAt)}.`
      : never,
    cause: causeOf(facts, formatTime),
    remembered: rememberedText(facts, options),
    minutes,
  };
}

function causeOf(
  { trouble, gapCause, lastProgressAt }: FreshnessFacts,
  formatTime: (time: Date) => string,
): string {
  if (trouble) return `${sentence(trouble.what)} (Seen last at ${formatTime(trouble.at)}.)`;
  if (gapCause !== undefined) return `${sentence(gapCause)} ${neverCure}`;
  return lastProgressAt ? unknownCause : neverCure;
}

function rememberedText({ settledBucket }: FreshnessFacts, { nowMs, formatTime }: FreshnessOptions): string {
  if (!settledBucket)
    return 'No bucket was settled yet. Goldmane remembers an hour: what is older than that when it goes on will be missing.';
  const settledUntil = new Date(settledBucket.getTime() + bucketMs);
  const forgets = new Date(settledUntil.getTime() + rememberedMs);
  return forgets.getTime() > nowMs
    ? `Nothing is lost yet: Goldmane still remembers everything until ${formatTime(forgets)}.`
    : `Goldmane has begun to forget: of the time from ${formatTime(settledUntil)} to ${formatTime(new Date(nowMs - rememberedMs))} only what was streamed is left.`;
}

function sentence(text: string): string {
  return /[.!?)]$/.test(text) ? text : `${text}.`;
}
