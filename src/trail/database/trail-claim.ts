import { databaseFailure, isDatabaseFailure, type DatabaseFailure } from './database-failure.ts';
import type { Database, Query } from './database.ts';

/** A process that has not renewed its row for this long has ended; a running one renews it every ten seconds. */
const silenceMs = 60_000;
/** A process checks at least every 15 s; after a longer interval, the others may not have reached the database either. */
const longestBreakMs = 30_000;

/** The supervisor for which a worker process works. */
export interface TrailClaim {
  /** Workflow id, for example `flow-trail/north/supervisor`. */
  supervisor: string;
  /** The Temporal namespace, with its id: two servers can have namespaces of the same name. */
  temporalNamespace: string;
}

interface OtherProcess extends TrailClaim {
  process: string;
  worker: string;
  seenAt: Date;
}

/**
 * Determines which processes have ended, by the clock of the process that waits for them. The age of their rows is not
 * sufficient: after an outage of the database, all rows are old, although every process is alive.
 */
export class SilenceWatch {
  readonly #elapsedMs: () => number;
  /** When each row was first seen with its current time. */
  #since = new Map<string, number>();
  #lookedMs = 0;

  /** @param elapsedMs a monotonic clock */
  constructor(elapsedMs: () => number = () => performance.now()) {
    this.#elapsedMs = elapsedMs;
  }

  /** @returns the first of these processes that may be alive */
  firstAlive<Row extends Pick<OtherProcess, 'process' | 'seenAt'>>(rows: readonly Row[]): Row | undefined {
    const nowMs = this.#elapsedMs();
    const former = nowMs - this.#lookedMs > longestBreakMs ? new Map<string, number>() : this.#since;
    this.#lookedMs = nowMs;
    const sinceOf = ({ process, seenAt }: Row): [string, number] => {
      const key = `${process} ${seenAt.getTime()}`;
      return [key, former.get(key) ?? nowMs];
    };
    this.#since = new Map(rows.map(sinceOf));
    return rows.find((row) => nowMs - sinceOf(row)[1] < silenceMs);
  }
}

/**
 * Call this before the schema is migrated: the workers of another cluster may be of an older version, which the new schema would
 * stop. Clusters of the same name on two Temporal servers are only told apart by `claimTrail`.
 * @param watch of this process, the same at each attempt
 * @throws DatabaseFailure `other_supervisor`
 */
export async function expectNoOtherCluster(
  query: Query,
  supervisor: string,
  watch: SilenceWatch,
): Promise<void> {
  // Not by the columns' names, which an older schema does not have.
  const others = await query<OtherProcess>(
    `select process, worker, to_jsonb(p) ->> 'supervisor' as supervisor,
       to_jsonb(p) ->> 'temporal_namespace' as "temporalNamespace", seen_at as "seenAt"
     from worker_process p where failure is null and to_jsonb(p) ->> 'supervisor' <> $1 order by seen_at desc`,
    [supervisor],
  ).catch((error: unknown) => {
    if (isDatabaseFailure(error) && error.kind === 'no_schema') return [];
    throw error;
  });
  const other = watch.firstAlive(others);
  if (other) throw otherSupervisor({ supervisor }, other);
}

/** Longer than a process must be silent. */
const patienceMs = 75_000;
const checkEveryMs = 5_000;

/**
 * The same for a command, which does not repeat it: waits for processes that may have ended.
 * @param clock.sleep waits milliseconds of the same clock
 * @param onWait called once with the reason
 * @throws DatabaseFailure `other_supervisor` after 75 s
 */
export async function untilNoOtherCluster(
  query: Query,
  supervisor: string,
  clock: { elapsedMs: () => number; sleep: (ms: number) => Promise<unknown> },
  onWait: (reason: string) => void,
): Promise<void> {
  const watch = new SilenceWatch(clock.elapsedMs);
  const startedMs = clock.elapsedMs();
  for (let tries = 0; ; tries += 1)
    try {
      return await expectNoOtherCluster(query, supervisor, watch);
    } catch (error) {
      const isOther = isDatabaseFailure(error) && error.kind === 'other_supervisor';
      if (!isOther || clock.elapsedMs() - startedMs >= patienceMs) throw error;
      if (tries === 0) onWait(error.what);
      await clock.sleep(checkEveryMs);
    }
}

/**
 * Records that this process works for a supervisor, unless a running process works for another one with this database.
 * @param process the process's id in `worker_process`
 * @param watch of this process, the same at each attempt
 * @throws DatabaseFailure `other_supervisor`
 */
export async function claimTrail(
  database: Database,
  process: string,
  claim: TrailClaim,
  watch: SilenceWatch,
): Promise<void> {
  await database.transaction(async (query) => {
    // Of two workers that start at the same time, the second one sees the claim of the first.
    await query('select from trail_state for update');
    const others = await findOthers(query, process, claim);
    const other = watch.firstAlive(others);
    if (other) throw otherSupervisor(claim, other);
    // If they continue after all, they notice it; and no process waits for them again.
    if (others.length > 0)
      await query(
        'update worker_process set supervisor = null, temporal_namespace = null where process = any($1)',
        [others.map((gone) => gone.process)],
      );
    await query(
      'update worker_process set supervisor = $2, temporal_namespace = $3, seen_at = now() where process = $1',
      [process, claim.supervisor, claim.temporalNamespace],
    );
    await query('update trail_state set supervisor = $1', [claim.supervisor]);
  });
}

/**
 * Records where this process works now; the namespace has another id after Temporal lost its data. Also inserts its row, which a
 * restored backup does not contain.
 * @param worker the process's identity in Temporal
 * @throws DatabaseFailure `other_supervisor` if a worker of another supervisor started while this process did not renew its row
 */
export async function renewClaim(
  query: Query,
  { process, worker }: Pick<OtherProcess, 'process' | 'worker'>,
  claim: TrailClaim,
): Promise<void> {
  const renewed = await query(
    `insert into worker_process as p (process, worker, supervisor, temporal_namespace)
     select $1, $2, $3, $4 where not exists (select from trail_state where supervisor <> $3)
     on conflict (process) do update
       set supervisor = excluded.supervisor, temporal_namespace = excluded.temporal_namespace, seen_at = now()
       where p.supervisor is not null
     returning 1`,
    [process, worker, claim.supervisor, claim.temporalNamespace],
  );
  if (renewed.length > 0) return;
  throw await lostClaim(query, process, claim);
}

/**
 * The same database for the work of a process that has claimed it: each transaction fails once a worker of another supervisor has
 * started. Otherwise, a process that returns after an outage of the database would write into the other trail until it renews its
 * claim. Nothing is locked: the server ends the transactions of a lost process before the minute that the other worker waits.
 */
export function claimedDatabase(database: Database, process: string, claim: TrailClaim): Database {
  const transaction: Database['transaction'] = (work) =>
    database.transaction(async (query) => {
      // A restored backup does not contain the row; the claim is lost only if the trail has another supervisor.
      const lost = await query(
        `select from trail_state left join worker_process on process = $1
         where case when process is null then trail_state.supervisor <> $2 else worker_process.supervisor is null end`,
        [process, claim.supervisor],
      );
      if (lost.length > 0) throw await lostClaim(query, process, claim);
      return work(query);
    });
  return { ...database, transaction, query: (sql, values) => transaction((query) => query(sql, values)) };
}

async function lostClaim(query: Query, process: string, claim: TrailClaim): Promise<DatabaseFailure> {
  const [other] = await findOthers(query, process, claim);
  return otherSupervisor(claim, other);
}

/** The last seen first. */
function findOthers(query: Query, process: string, claim: TrailClaim): Promise<OtherProcess[]> {
  return query<OtherProcess>(
    `select process, worker, supervisor, temporal_namespace as "temporalNamespace", seen_at as "seenAt" from worker_process
     where process <> $1 and failure is null and (supervisor, temporal_namespace) <> ($2, $3)
     order by seen_at desc`,
    [process, claim.supervisor, claim.temporalNamespace],
  );
}

/**
 * The supervisor of the worker that started last with this database; undefined if there was none, or before the migration
 * that records it.
 * @throws DatabaseFailure
 */
export async function readClaimedSupervisor(query: Query): Promise<string | undefined> {
  // Not by the column's name, which an older schema does not have.
  const [row] = await query<{ supervisor: string | null }>(
    `select to_jsonb(trail_state) ->> 'supervisor' as supervisor from trail_state`,
  );
  return row?.supervisor ?? undefined;
}

/** @param expected the supervisor that CLUSTER_NAME selects */
export function wrongCluster(expected: string, actual: string): DatabaseFailure {
  return databaseFailure(
    'wrong_cluster',
    `the database belongs to ${actual}, but the settings select ${expected}`,
  );
}

function otherSupervisor(
  own: Pick<TrailClaim, 'supervisor'> & Partial<TrailClaim>,
  other: OtherProcess | undefined,
): DatabaseFailure {
  const user = other
    ? `worker ${other.worker} uses it for ${other.supervisor} in the Temporal namespace ${other.temporalNamespace}`
    : 'a worker of another supervisor started while this worker could not reach it';
  return databaseFailure(
    'other_supervisor',
    `the database is in use: ${user}, but this worker would use it for ${own.supervisor}${
      own.temporalNamespace === undefined ? '' : ` in ${own.temporalNamespace}`
    }`,
  );
}
