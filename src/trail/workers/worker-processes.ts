import type { Query } from '../database/database.ts';

/** A process whose row is older was killed or has lost the database; it renews its row every ten seconds. */
const silentSeconds = 30;
const windowMinutes = 30;
/** Rows are kept this long for an operator who looks at the table. */
const keepDays = 7;

/** Worker processes that ended unexpectedly within the last half hour. */
export interface Crashes {
  count: number;
  /** When the newest of them was last seen running; undefined if there is none. */
  lastAt: Date | undefined;
  /** The error with which the newest one ended; undefined if it reported none, for example because it was killed. */
  failure: string | undefined;
}

/**
 * Records that a worker process has started.
 * @param worker its identity in Temporal
 * @param process a random UUID
 * @throws DatabaseFailure
 */
export async function beginWorkerProcess(query: Query, worker: string, process: string): Promise<void> {
  await query(
    `with former as (delete from worker_process where seen_at < now() - make_interval(days => $3))
     insert into worker_process (process, worker) values ($1, $2)`,
    [process, worker, keepDays],
  );
}

/** The process is alive. @throws DatabaseFailure */
export async function renewWorkerProcess(query: Query, process: string): Promise<void> {
  await query('update worker_process set seen_at = now() where process = $1', [process]);
}

/**
 * The process ends: in order, or with an error.
 * @param failure the error's message
 * @throws DatabaseFailure
 */
export async function endWorkerProcess(
  query: Query,
  process: string,
  failure: string | undefined,
): Promise<void> {
  if (failure === undefined) await query('delete from worker_process where process = $1', [process]);
  else
    await query('update worker_process set failure = $2, seen_at = now() where process = $1', [
      process,
      failure,
    ]);
}

/**
 * Times are the database's. A process counts once it is silent, has reported an error, or has a successor with the same identity.
 * @throws DatabaseFailure
 */
export async function readCrashes(query: Query): Promise<Crashes> {
  const rows = await query<{ seen_at: Date; failure: string | null }>(
    `select seen_at, failure from worker_process p
     where seen_at > now() - make_interval(mins => $1)
       and (seen_at < now() - make_interval(secs => $2) or failure is not null
         or exists (select from worker_process n where n.worker = p.worker and n.started_at > p.started_at))
     order by seen_at desc`,
    [windowMinutes, silentSeconds],
  );
  return { count: rows.length, lastAt: rows[0]?.seen_at, failure: rows[0]?.failure ?? undefined };
}
