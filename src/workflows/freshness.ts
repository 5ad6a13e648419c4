import {
  ActivityFailure,
  ApplicationFailure,
  isCancellation,
  proxyActivities,
  rootCause,
  workflowInfo,
} from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';

type Report = Awaited<ReturnType<Activities['checkFreshness']>>;
type Outage = Awaited<ReturnType<Activities['tellDatabaseAway']>>;

/** Options of the watchdog; the defaults are for production. */
interface WatchdogInput {
  /** How long the check is retried before the database counts as unavailable, milliseconds. */
  patienceMs?: number;
}

/** The result of a run without a critical state. */
export type FreshnessResult = Report & {
  /** `known`: the state did not change, so nothing was posted. */
  told: 'posted' | 'printed' | 'known';
};

const retry = { initialInterval: 1_000, backoffCoefficient: 2, maximumInterval: 60_000 };
const defaultPatienceMs = 90_000;
const awayType = 'database_away';

// The sum with the check stays below the schedule's execution timeout, so that a failed run shows its cause, not a timeout.
const { tellFreshness, tellDatabaseAway } = proxyActivities<Activities>({
  startToCloseTimeout: 45_000,
  scheduleToCloseTimeout: 100_000,
  retry,
});

/**
 * Checks the trail's progress and posts every change of state. Fails (`trail_stalled`, `database_away`, with cause and cure)
 * while action is needed, so that the Temporal UI shows it. During a database outage the failure's details carry the outage to
 * the schedule's next run.
 */
export async function freshnessWatchdog({ patienceMs }: WatchdogInput = {}): Promise<FreshnessResult> {
  const { checkFreshness } = proxyActivities<Activities>({
    startToCloseTimeout: 45_000,
    scheduleToCloseTimeout: patienceMs ?? defaultPatienceMs,
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
  const told = await tell(report, outage !== undefined && outage.told !== 'nobody');
  if (report.severity === 'critical')
    throw ApplicationFailure.nonRetryable(
      `${report.what} ${report.cause} ${report.remembered}${told.untold}`,
      'trail_stalled',
      report,
    );
  return { ...report, told: told.result };
}

/** If a stalled trail cannot be posted to Slack, the run still fails as stalled, and its message includes Slack's error. */
async function tell(
  report: Report,
  hadOutage: boolean,
): Promise<{ result: FreshnessResult['told']; untold: string }> {
  try {
    return { result: await tellFreshness(report, hadOutage), untold: '' };
  } catch (error) {
    if (isCancellation(error) || !(error instanceof ActivityFailure) || report.severity !== 'critical')
      throw error;
    return { result: 'known', untold: notTold(error) };
  }
}

async function failAway(why: string, before: Outage | undefined): Promise<never> {
  let outage: Outage;
  let untold = '';
  try {
    outage = await tellDatabaseAway(why, before);
  } catch (error) {
    if (isCancellation(error) || !(error instanceof ActivityFailure)) throw error;
    untold = notTold(error);
    outage = before ?? { since: new Date().toISOString(), told: 'nobody' };
  }
  throw ApplicationFailure.nonRetryable(
    `The trail database is unavailable: ${why}${untold}`,
    awayType,
    outage,
  );
}

function notTold(error: ActivityFailure): string {
  return ` The alert was not posted: ${rootCause(error) ?? 'unknown error'}`;
}

/** The outage from the details of the schedule's previous run. */
function formerOutage(): Outage | undefined {
  const { lastFailure } = workflowInfo();
  if (!(lastFailure instanceof ApplicationFailure) || lastFailure.type !== awayType) return undefined;
  const details: unknown = lastFailure.details?.[0];
  return isOutage(details) ? details : undefined;
}

function isOutage(details: unknown): details is Outage {
  return (
    typeof details === 'object' &&
    details !== null &&
    'since' in details &&
    typeof details.since === 'string' &&
    'told' in details &&
    (details.told === 'nobody' || details.told === 'warned' || details.told === 'paged')
  );
}

function databaseFailure(error: unknown): ApplicationFailure | undefined {
  for (let at: unknown = error; at instanceof Error; at = at.cause)
    if (at instanceof ApplicationFailure && at.type?.startsWith('database_') === true) return at;
  return undefined;
}
