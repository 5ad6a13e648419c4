import { configFailure } from './config-failure.ts';
import { databaseConfigOf, databaseProblems, type DatabaseConfig } from './database-config.ts';

/** The database of a cluster's trail. */
interface ClusterDatabase {
  cluster: string;
  database: DatabaseConfig;
}

/**
 * Locates the databases of several clusters: `DATABASE_URL_<NAME>` or `DATABASE_URL_<NAME>_FILE`, with the name in
 * upper case and `_` for `-`. The cluster of `CLUSTER_NAME` may have plain `DATABASE_URL` or `DATABASE_URL_FILE`
 * instead.
 * @throws ConfigFailure with the problems of all clusters
 */
export function loadClusterDatabases(env: NodeJS.ProcessEnv, clusters: readonly string[]): ClusterDatabase[] {
  const problems: string[] = [];
  const databases = clusters.map((cluster): ClusterDatabase => {
    const own = variablesOf(cluster);
    const isSet = Object.values(own).some((name) => env[name]?.trim());
    const names = isSet || env['CLUSTER_NAME']?.trim() !== cluster ? own : undefined;
    problems.push(...databaseProblems(env, names));
    return { cluster, database: databaseConfigOf(env, names) };
  });
  if (problems.length > 0) throw configFailure(problems);
  return databases;
}

function variablesOf(cluster: string): { url: string; urlFile: string } {
  const url = `DATABASE_URL_${cluster.toUpperCase().replaceAll('-', '_')}`;
  return { url, urlFile: `${url}_FILE` };
}
