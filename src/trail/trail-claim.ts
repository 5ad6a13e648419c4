import { databaseFailure, type DatabaseFailure } from './database-failure.ts';
import type { Database, Query } from './database.ts';

/** A process whose row is older is gone; a living one renews it every ten seconds. */
const aliveSeconds = 60;

/** The supervisor for which a worker process works. */
export interface TrailClaim {
  /** Workflow id, for example `flow-trail/north/supervisor`. */
  supervisor: string;
  /** The Temporal namespace, with its id: two servers can have namespaces of the same name. */
  temporalNamespace: string;
}

/**
 * Records that this process works for a supervisor, unless a living process works for another one with this database.
 * @param process the process's id in `worker_process`
 * @throws DatabaseFailure `other_supervisor`
 */
export async function claimTrail(database: Database, process: string, claim: TrailClaim): Promise<void> {
  await database.transaction(async (query) => {
    // Of two workers that start at the same time, the second one sees the claim of the first.
    await query('select from trail_state for update');
    const [other] = await query<{ worker: string; supervisor: string; temporal_namespace: string }>(
      `select worker, supervisor, temporal_namespace from worker_process
       where process <> $1 and failure is null and seen_at > now() - make_interval(secs => $4)
         and (supervisor, temporal_namespace) <> ($2, $3)
       order by seen_at desc limit 1`,
      [process, claim.supervisor, claim.temporalNamespace, aliveSeconds],
    );
    if (other) throw otherSupervisor(claim, other);
    await renewClaim(query, process, claim);
    await query('update trail_state set supervisor = $1', [claim.supervisor]);
  });
}

/** Records where this process works now; the namespace has another id after Temporal lost its data. @throws DatabaseFailure */
export async function renewClaim(query: Query, process: string, claim: TrailClaim): Promise<void> {
  await query(
    'update worker_process set supervisor = $2, temporal_namespace = $3, seen_at = now() where process = $1',
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
    `the database is that of ${actual}, but the settings select ${expected}`,
  );
}

function otherSupervisor(
  own: TrailClaim,
  other: { worker: string; supervisor: string; temporal_namespace: string },
): DatabaseFailure {
  return databaseFailure(
    'other_supervisor',
    `the database is in use: worker ${other.worker} reads for ${other.supervisor} in the Temporal namespace ${other.temporal_namespace}, but this worker would read for ${own.supervisor} in ${own.temporalNamespace}`,
  );
}
