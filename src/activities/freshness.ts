import { assessFreshness, type FreshnessState, type FreshnessVerdict } from '../reports/freshness-state.ts';
import { alertMessage } from '../slack/alert-blocks.ts';
import type { SlackMessage } from '../slack/message.ts';
import type { PostResult } from '../slack/post.ts';
import { isPosted, markAlertPosted, recordAlert } from '../trail/jobs/alerts.ts';
import { readFreshness } from '../trail/jobs/freshness.ts';
import {
  markGapsReported,
  readUnreportedGaps,
  type UnreportedGap,
} from '../trail/coverage-ranges/gap-reports.ts';
import { iso } from '../time/iso.ts';
import { spanText, zonedTime } from '../time/zoned-time.ts';
import { toActivityFailure } from '../temporal/activity-failure.ts';
import type { JobDeps } from './deps.ts';
import type { GapReport } from '../ingest/summary.ts';
import { postSlack, postAlert } from './slack.ts';

/** The freshness of the trail, as a run's result. Times are ISO 8601; absent if there is none. */
export interface FreshnessReport extends FreshnessVerdict {
  lastProgressAt?: string;
  newestBucket?: string;
  /** Start of the newest settled bucket. */
  settledBucket?: string;
  /** Gaps and incomplete stretches that were not reported before, oldest first; absent when there are none. */
  newGaps?: GapReport[];
  /** Nothing to post: the state equals the last posted one, and there are no new gaps. */
  isUnchanged?: boolean;
}

/**
 * A database outage that the job noticed; passed from run to run, because it cannot be stored during the outage.
 */
export interface DatabaseOutage {
  /** First failed check, ISO 8601. */
  since: string;
  /** The kind of the last message posted about it. */
  alerted: 'none' | 'warned' | 'paged';
}

const alert = 'freshness';
/** More than a Slack message shows, but few enough to keep the result in the workflow's history small. */
const maxNewGaps = 50;
/** The posted state after a message about a database outage. */
const awayState = 'database_away';

/** Reads the trail's progress, evaluates it and records the result. @throws ApplicationFailure of type `database_<kind>` */
export async function checkFreshness({ config, database, jobMetrics }: JobDeps): Promise<FreshnessReport> {
  const nowMs = config.clock.now();
  try {
    const facts = await readFreshness(database.query, nowMs / 1000);
    const newGaps = await readUnreportedGaps(database.query, nowMs / 1000);
    const verdict = assessFreshness(facts, {
      nowMs,
      ...config.jobs.freshness,
      formatTime: zonedTime(config.jobs.timeZone).dated,
    });
    const { lastProgressAt, newestBucket, settledBucket } = facts;
    const seconds = lastProgressAt && (nowMs - lastProgressAt.getTime()) / 1000;
    jobMetrics.freshness(verdict.state, seconds);
    const state = storedState(verdict.state);
    const recorded = await recordAlert(
      database.query,
      alert,
      { state, detail: detailOf(verdict) },
      nowMs / 1000,
    );
    return {
      ...verdict,
      ...(lastProgressAt ? { lastProgressAt: lastProgressAt.toISOString() } : {}),
      ...(newestBucket ? { newestBucket: newestBucket.toISOString() } : {}),
      ...(settledBucket ? { settledBucket: settledBucket.toISOString() } : {}),
      ...(newGaps.length > 0 ? { newGaps: newGaps.slice(0, maxNewGaps).map(toReport) } : {}),
      isUnchanged: isPosted(recorded) && newGaps.length === 0,
    };
  } catch (error) {
    throw toActivityFailure(error);
  }
}

/** The state that is stored and compared. */
function storedState(state: FreshnessState): string {
  return state === 'beginning' ? 'good' : state;
}

function detailOf({ what, cause, remembered }: FreshnessVerdict): string {
  return [what, cause, remembered].filter((text) => text !== '').join(' ');
}

function toReport({ fromSeconds, toSeconds, cause }: UnreportedGap): GapReport {
  return { from: iso(fromSeconds), to: iso(toSeconds), cause };
}

/**
 * Posts the state if it differs from the last posted one, and new gaps. `beginning` is not posted.
 * @param hadOutage a database outage was posted, so its end is posted too
 * @throws ApplicationFailure
 */
export async function postFreshnessAlert(
  deps: JobDeps,
  report: FreshnessReport,
  hadOutage: boolean,
): Promise<PostResult | 'unchanged'> {
  const { database, config } = deps;
  const detail = detailOf(report);
  const state = storedState(report.state);
  if (hadOutage) {
    const nowSeconds = config.clock.now() / 1000;
    try {
      await recordAlert(database.query, alert, { state, detail }, nowSeconds);
      await markAlertPosted(database.query, alert, awayState, nowSeconds);
    } catch (error) {
      throw toActivityFailure(error);
    }
  }
  const formatTime = zonedTime(config.jobs.timeZone).dated;
  const alertResult = await postAlert(deps, {
    alert,
    state,
    detail,
    message: freshnessMessage(report, formatTime),
  });
  const { newGaps = [] } = report;
  const newest = newGaps.at(-1);
  if (!newest) return alertResult;
  const posted = await postSlack(deps, gapMessage(newGaps, formatTime));
  try {
    await markGapsReported(database.query, Date.parse(newest.to) / 1000, config.clock.now() / 1000);
  } catch (error) {
    throw toActivityFailure(error);
  }
  return posted;
}

/** Renders new gaps. Pure. */
function gapMessage(gaps: readonly GapReport[], formatTime: (time: Date) => string): SlackMessage {
  const secondsOf = ({ from, to }: GapReport) => (Date.parse(to) - Date.parse(from)) / 1000;
  const lines = gaps.map(
    (gap) =>
      `From ${formatTime(new Date(gap.from))} to ${formatTime(new Date(gap.to))} (${spanText(secondsOf(gap))}): ${gap.cause}`,
  );
  return alertMessage({
    severity: 'warning',
    title: `${spanText(gaps.reduce((sum, gap) => sum + secondsOf(gap), 0))} not fully observed`,
    paragraphs: [
      'Records from this time are missing and cannot be recovered. `flow-trail coverage --gaps` lists all gaps.',
      ...lines,
    ],
    fields: [],
    context: 'flow-trail · freshness',
  });
}

/** Renders the freshness alert. Pure. */
function freshnessMessage(
  { state, severity, what, cause, remembered, lastProgressAt, settledBucket }: FreshnessReport,
  formatTime: (time: Date) => string,
): SlackMessage {
  const time = (text: string | undefined) => (text === undefined ? 'never' : formatTime(new Date(text)));
  const isGood = severity === 'good';
  return alertMessage({
    severity,
    isPage: severity === 'critical',
    title: titles[state],
    paragraphs: isGood
      ? [
          what,
          'The buckets that Goldmane still has are being settled now; `flow-trail coverage --gaps` lists the time that was lost.',
        ]
      : [what, cause, remembered],
    fields: [
      ['Last merged', time(lastProgressAt)],
      ['Settled up to', time(settledBucket)],
    ],
    context: 'flow-trail · freshness',
  });
}

const titles: Record<FreshnessState, string> = {
  good: 'trail is up to date',
  beginning: 'trail is starting',
  never_merged: 'trail has not merged any flows yet',
  late: 'trail is behind',
  stalled: 'trail has stalled',
  settling_late: 'settling is behind',
  settling_stalled: 'settling has stalled',
  stream_late: 'stream delivers no flows',
  clock_ahead: 'a stored time is in the future',
  crashing: 'workers keep crashing',
};

/**
 * Posts a database outage once, and again as a page after FRESHNESS_PAGE_MINUTES.
 * @returns the outage with what was posted
 * @throws ApplicationFailure of type `slack_<kind>`
 */
export async function postDatabaseOutage(
  deps: JobDeps,
  why: string,
  before: DatabaseOutage | undefined,
): Promise<DatabaseOutage> {
  const { clock, jobs } = deps.config;
  const formatTime = zonedTime(jobs.timeZone).dated;
  const since = new Date(before?.since ?? clock.now());
  const minutes = Math.floor((clock.now() - since.getTime()) / 60_000);
  const isPage = minutes >= jobs.freshness.pageMinutes;
  const alerted = isPage ? 'paged' : 'warned';
  if (before?.alerted !== alerted && before?.alerted !== 'paged')
    await postSlack(
      deps,
      alertMessage({
        severity: 'critical',
        isPage,
        title: 'trail database is unavailable',
        paragraphs: [
          `The database cannot be used, and no flows are stored.${isPage ? ` The outage has lasted ${minutes} minutes.` : ''}`,
          `Cause: ${why}`,
          'No data is lost if the database is back within 53 minutes: Goldmane keeps one hour, and the missing buckets are settled afterwards.',
        ],
        fields: [['First seen', formatTime(since)]],
        context: 'flow-trail · freshness',
      }),
    );
  return { since: since.toISOString(), alerted: before?.alerted === 'paged' ? 'paged' : alerted };
}
