import { isClusterName } from '../config/temporal-names.ts';
import { loadClusterDatabases } from '../config/cluster-databases.ts';
import { Failure, isFailure } from '../failure/failure.ts';
import type { Query } from '../trail/database/database.ts';
import { usageFailure } from './input/usage-error.ts';
import { withDatabaseOf } from './connect/with-database.ts';

/** A row; `cluster` is present if several clusters were queried. */
export type InCluster<Row> = Row & { cluster?: string };

export interface ClusterAnswer<Answer> {
  cluster: string;
  answer: Answer;
}

/** @throws UsageFailure */
export function parseClusters(option: string, value: string): string[] {
  const clusters = [...new Set(value.split(',').map((name) => name.trim()))];
  for (const name of clusters) {
    if (!isClusterName(name))
      throw usageFailure(
        option,
        `"${name}" is not a cluster name; use values of CLUSTER_NAME, separated by commas`,
      );
    // DATABASE_URL_FILE and DATABASE_URL_<NAME>_FILE have a different meaning.
    if (/(^|-)file$/.test(name))
      throw usageFailure(
        option,
        `${name} cannot be queried, because its DATABASE_URL_<NAME> would end with _FILE`,
      );
  }
  return clusters;
}

/**
 * Runs the same query on the database of each cluster. Partial results would look complete, so every query must succeed.
 * @throws ConfigFailure, DatabaseFailure with the cluster's name
 */
export function askClusters<Answer>(
  clusters: readonly string[],
  ask: (query: Query) => Promise<Answer>,
): Promise<ClusterAnswer<Answer>[]> {
  return Promise.all(
    loadClusterDatabases(process.env, clusters).map(async ({ cluster, database }) => {
      try {
        return {
          cluster,
          answer: await withDatabaseOf(database, ({ query }) => ask(query), { isReadOnly: true, cluster }),
        };
      } catch (error) {
        if (!isFailure(error)) throw error;
        const { system, kind, what, cure, retryable } = error;
        throw new Failure({
          system,
          kind,
          what: `cluster ${cluster}: ${what}`,
          cure,
          retryable,
          cause: error,
        });
      }
    }),
  );
}

export function clusterHeader(rows: readonly InCluster<object>[]): string[] {
  return rows.some(({ cluster }) => cluster !== undefined) ? ['CLUSTER'] : [];
}

export function clusterCell(cluster: string | undefined): string[] {
  return cluster === undefined ? [] : [cluster];
}
