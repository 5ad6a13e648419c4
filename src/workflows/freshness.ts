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

/** How the watchdog works. Optional: what is not given is production's. */
export interface WatchdogInput {
  /** For how long the database is asked again before it is taken for away, milliseconds. */
  patienceMs?: number;
}

/** The result of a run that has nobody to page. */
export type FreshnessResult = Report & {
  /** `known`: nothing changed, so nobody was told. */
  told: 'posted' | 'printed' | 'known';
};

const retry = { initialInterval: 1_000, backoffCoefficient: 2, maximumInterval: 60_000 };
const defaultPatienceMs = 90_000;
const awayType = 'database_away';

// With the check, below the schedule's execution timeout: a run that fails shows why, and not that it took too long.
const { tellFreshness, tellDatabaseAway } = proxyActivities<Activities>({
  startToCloseTimeout: 45_000,
  scheduleToCloseTimeout: 100_000,
  retry,
});

/**
 * Looks whether anything was merged of late and tells of every change; fails (`trail_stalled`, `database_away`, with
 * cause and cure) while somebody has to act, so that the UI shows it. What cannot be stored while the database is away is
 * carried by the failure to the schedule's next run.
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

/** Whoever is not told of a stalled trail learns of it from the failed run, which also says why they were not. */
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
  throw ApplicationFailure.nonRetryable(`The trail’s database is away: ${why}${untold}`, awayType, outage);
}

function notTold(error: ActivityFailure): string {
  return ` Nobody could be told: ${rootCause(error) ?? 'unknown error'}`;
}

/** The outage with which the schedule's run before this one failed. */
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
