import {
  ActivityFailure,
  ApplicationFailure,
  isCancellation,
  proxyActivities,
  rootCause,
  workflowInfo,
} from '@temporalio/workflow';
import { hourMs } from '../time/units.ts';
import type { Activities } from '../activities/index.ts';

type Report = Awaited<ReturnType<Activities['checkFreshness']>>;
type Outage = Awaited<ReturnType<Activities['tellDatabaseAway']>>;

/** Options of the job; the defaults are for production. */
interface FreshnessInput {
  /** How long the check is retried before the database counts as unavailable, milliseconds. */
  patienceMs?: number;
}

/** The result of a run without a critical state. */
type FreshnessResult = Report & {
  /** `unchanged`: the state did not change, so nothing was posted. */
  alert: 'posted' | 'printed' | 'unchanged';
};

const retry = { initialInterval: 1_000, backoffCoefficient: 2, maximumInterval: 60_000 };
const defaultPatienceMs = 90_000;
const longestPatienceMs = hourMs;
const awayType = 'database_away';

// The sum with the check stays below the schedule's execution timeout, so that a failed run shows its cause, not a timeout.
// The types `tellFreshness` and `tellDatabaseAway` are in histories, so they stay.
const { tellFreshness: postFreshnessAlert, tellDatabaseAway: postDatabaseOutage } =
  proxyActivities<Activities>({
    startToCloseTimeout: 45_000,
    scheduleToCloseTimeout: 100_000,
    retry,
  });

/**
 * Checks the trail's progress and posts every change of state. Fails (`trail_stalled`, `database_away`, with the
 * cause and what to do) while action is needed,
 * so that the Temporal UI shows it. During a database outage, the failure's details pass the outage on to the
 * schedule's next run.
 */
export async function freshnessWatchdog(input?: FreshnessInput): Promise<FreshnessResult> {
  const { checkFreshness } = proxyActivities<Activities>({
    startToCloseTimeout: 45_000,
    scheduleToCloseTimeout: patienceOf(input),
    retry,
  });
  const outage = formerOutage();
  let report: Report;
  try {
    report = await checkFreshness();
  } catch (error) {
    const failure = databaseFailure(error);
    if (!failure) throw error;
    return await failAway(`${failure.message.replace(/\.$/, '')}.`, outage);
  }
  const hadOutage = outage !== undefined && outage.alerted !== 'none';
  // Saves an activity in nearly every run. Results of former versions have no `isUnchanged`.
  const isUnchanged = report.isUnchanged === true && !hadOutage;
  const alert = isUnchanged
    ? ({ result: 'unchanged', notPosted: '' } as const)
    : await postAlert(report, hadOutage);
  if (report.severity === 'critical')
    throw ApplicationFailure.nonRetryable(
      `${report.what} ${report.cause} ${report.remembered}${alert.notPosted}`,
      'trail_stalled',
      report,
    );
  return { ...report, alert: alert.result };
}

/** A person may start the job with any input; Temporal would reject an invalid time at every attempt. */
function patienceOf(input: FreshnessInput | null | undefined): number {
  const patienceMs: unknown = input?.patienceMs;
  return typeof patienceMs === 'number' && patienceMs >= 1 && patienceMs <= longestPatienceMs
    ? patienceMs
    : defaultPatienceMs;
}

/** If a stalled trail cannot be posted to Slack, the run still fails as stalled, and its message includes Slack's error. */
async function postAlert(
  report: Report,
  hadOutage: boolean,
): Promise<{ result: FreshnessResult['alert']; notPosted: string }> {
  try {
    return { result: await postFreshnessAlert(report, hadOutage), notPosted: '' };
  } catch (error) {
    if (isCancellation(error) || !(error instanceof ActivityFailure) || report.severity !== 'critical')
      throw error;
    return { result: 'unchanged', notPosted: whyNotPosted(error) };
  }
}

async function failAway(why: string, before: Outage | undefined): Promise<never> {
  let outage: Outage;
  let notPosted = '';
  try {
    outage = await postDatabaseOutage(why, before);
  } catch (error) {
    if (isCancellation(error) || !(error instanceof ActivityFailure)) throw error;
    notPosted = whyNotPosted(error);
    outage = before ?? { since: new Date().toISOString(), alerted: 'none' };
  }
  throw ApplicationFailure.nonRetryable(
    `The trail database is unavailable: ${why}${notPosted}`,
    awayType,
    outage,
  );
}

function whyNotPosted(error: ActivityFailure): string {
  return ` The alert was not posted: ${rootCause(error) ?? 'unknown error'}`;
}

/** The outage from the details of the schedule's previous run. */
function formerOutage(): Outage | undefined {
  const { lastFailure } = workflowInfo();
  if (!(lastFailure instanceof ApplicationFailure) || lastFailure.type !== awayType) return undefined;
  const details: unknown = lastFailure.details?.[0];
  return readOutage(details);
}

/** Older runs wrote the field `told`, with `nobody` instead of `none`. */
function readOutage(details: unknown): Outage | undefined {
  if (typeof details !== 'object' || details === null) return undefined;
  const { since, told, alerted }: { since?: unknown; told?: unknown; alerted?: unknown } = details;
  if (typeof since !== 'string') return undefined;
  if (alerted === 'none' || alerted === 'warned' || alerted === 'paged') return { since, alerted };
  if (told === 'nobody') return { since, alerted: 'none' };
  return told === 'warned' || told === 'paged' ? { since, alerted: told } : undefined;
}

function databaseFailure(error: unknown): ApplicationFailure | undefined {
  for (let at: unknown = error; at instanceof Error; at = at.cause)
    if (at instanceof ApplicationFailure && at.type?.startsWith('database_') === true) return at;
  return undefined;
}
