import { counted } from '../../text/counted.ts';
import type { ControlFacts } from '../../temporal/control-facts.ts';
import { check, withoutStop, type HealthCheck } from './report.ts';

/**
 * The data of one database and the supervisor of another one would look like one trail.
 * @param databaseTrailId undefined if the database does not respond
 * @returns undefined if the supervisor belongs to this database, does not run, or is of unknown origin
 */
export function foreignSupervisor(
  { state, trailId }: { state: string | undefined; trailId?: string | undefined },
  databaseTrailId: string | undefined,
): { what: string; cure: string } | undefined {
  if (state !== 'RUNNING' || !trailId || !databaseTrailId || trailId === databaseTrailId) return undefined;
  return {
    what: `belongs to another database: its trail id is ${trailId}, but this database has ${databaseTrailId}`,
    cure: 'Correct DATABASE_URL, CLUSTER_NAME, TEMPORAL_ADDRESS or TEMPORAL_NAMESPACE; if this database replaces the other one, see docs/clusters.md',
  };
}

/** @param databaseTrailId undefined if the database does not respond */
export function supervisorCheck(
  { supervisor: { state, trailId, taskProblem, readerProblem, paused }, pollers }: ControlFacts,
  databaseTrailId: string | undefined,
): HealthCheck {
  const foreign = foreignSupervisor({ state, trailId }, databaseTrailId);
  if (foreign) return check('supervisor', 'FAIL', foreign.what, foreign.cure);
  if (pollers === 0)
    return check(
      'supervisor',
      'FAIL',
      'no worker is polling the task queue',
      'Start the worker, or check its log and /readyz; check that it uses this task queue',
    );
  // A pause is deliberate; the check `freshness` fails before data is lost.
  if (paused && taskProblem === undefined) return check('supervisor', 'WARN', paused.what, paused.cure);
  if (state !== 'RUNNING')
    return check(
      'supervisor',
      'FAIL',
      state === undefined ? 'does not exist' : `is ${state}`,
      'A running worker starts it within a minute; check the log of the worker and /readyz',
    );
  if (taskProblem !== undefined)
    return check(
      'supervisor',
      'FAIL',
      `stuck: its workflow task fails with ${taskProblem}`,
      'A worker replaces it after two minutes if the failure is permanent; check the log of the worker',
    );
  // The check `freshness` fails once data is late.
  if (readerProblem !== undefined)
    return check(
      'supervisor',
      'WARN',
      `running, but a reader fails: ${withoutStop(readerProblem)}`,
      'flow-trail status shows the state of both readers',
    );
  return check('supervisor', 'PASS', `running; ${counted(pollers, 'worker')} polled in the last 100 s`);
}

export function schedulesCheck({ schedules }: ControlFacts): HealthCheck {
  const missing = schedules.filter(({ exists }) => !exists).map(({ scheduleId }) => scheduleId);
  const paused = schedules.filter(({ isPaused }) => isPaused);
  if (missing.length > 0)
    return check(
      'schedules',
      'FAIL',
      `missing: ${missing.join(', ')}`,
      'A running worker creates them within a minute; check the log of the worker',
    );
  const ended = schedules.filter(({ isPaused, nextDueAt }) => !isPaused && nextDueAt === undefined);
  if (ended.length > 0)
    return check(
      'schedules',
      'FAIL',
      `changed by hand so that they never run again: ${ended.map(({ scheduleId }) => scheduleId).join(', ')}`,
      `Delete them; a running worker creates them again within a minute: ${ended
        .map(({ scheduleId }) => `temporal schedule delete --schedule-id ${scheduleId}`)
        .join('; ')}`,
    );
  if (paused.length > 0)
    return check(
      'schedules',
      'WARN',
      `paused: ${paused.map(({ scheduleId, note }) => (note === '' ? scheduleId : `${scheduleId} (${note})`)).join(', ')}`,
      paused
        .map(({ scheduleId }) => `temporal schedule toggle --unpause --schedule-id ${scheduleId}`)
        .join('; '),
    );
  return check('schedules', 'PASS', `all ${schedules.length} exist and none is paused`);
}
