import type { Server } from 'node:http';
import type { Logger } from 'pino';
import type { Config } from '../config/config.ts';
import { readIncident } from '../queries/incident.ts';
import { mapSilentDays, readMap, readMapChanges, readNamespaceDetail } from '../queries/map.ts';
import type { Temporal } from '../temporal/worker-connection.ts';
import { listRuns } from '../temporal/runs.ts';
import { openDatabase } from '../trail/database/database.ts';
import { closeServer } from '../web/bounded-server.ts';
import { loadMapPage } from '../web/map-page.ts';
import { serveMap, type MapSource } from '../web/serve-map.ts';
import type { DatabaseTrouble } from './database-trouble.ts';
import { workerHealth } from './health-watch.ts';
import { socketAddress } from './http.ts';

const runsShown = 100;

export interface MapService {
  close(): Promise<void>;
}

/**
 * Serves the map with its own database pool, so that the map's queries and the readers never wait for each other's
 * connections. The trail does not depend on the map: if it cannot be served, the reason is logged.
 */
export async function startMap(
  config: Config,
  temporal: Temporal,
  databaseTrouble: DatabaseTrouble,
  log: Logger,
): Promise<MapService | undefined> {
  const { map } = config;
  if (map.port === 'off') return undefined;
  const database = openDatabase(config.database, { isReadOnly: true });
  try {
    const server = await serveMap({
      page: await loadMapPage(),
      source: mapSource(config, temporal, database.query, databaseTrouble),
      host: map.host,
      port: map.port,
      hostNames: config.jobs.mapUrl === undefined ? [] : [new URL(config.jobs.mapUrl).hostname],
      onError: (error) => log.warn({ err: error }, 'A query of the map failed'),
    });
    log.info({ address: `http://${socketAddress(map.host, portOf(server))}/` }, 'The map is served');
    return {
      async close() {
        await closeServer(server);
        await database.close();
      },
    };
  } catch (error) {
    await database.close();
    log.warn(
      { err: error, host: map.host, port: map.port },
      'The map is not served; free the port or set MAP_PORT',
    );
    return undefined;
  }
}

function mapSource(
  config: Config,
  temporal: Temporal,
  query: ReturnType<typeof openDatabase>['query'],
  databaseTrouble: DatabaseTrouble,
): MapSource {
  const { temporalUiUrl } = config.map;
  return {
    readMap: () => readMap(query, { config, cluster: config.clusterName, temporalUiUrl }),
    readNamespace: (name) => readNamespaceDetail(query, name, config.clock.now() / 1000),
    readIncident: (namespace, fromSeconds, toSeconds) =>
      readIncident(query, {
        namespace,
        fromSeconds,
        toSeconds,
        nowSeconds: config.clock.now() / 1000,
        silentDays: mapSilentDays,
      }),
    readChanges: (from, to) => readMapChanges(query, { from, to, silentDays: mapSilentDays }),
    readHealth: () => workerHealth(config, temporal, query, databaseTrouble),
    async readAllowlist(name) {
      // Loaded here, because the worker otherwise needs neither the policy code nor the YAML library.
      const { parseAllowlistInput } = await import('../policy/derive/input.ts');
      const { makeAllowlist } = await import('../queries/allowlist.ts');
      const parsed = parseAllowlistInput({
        namespaces: [name],
        format: 'calico-staged',
        baseline: { dns: true },
      });
      if ('problems' in parsed) throw new Error(parsed.problems.join('; '));
      const until = new Date(config.clock.now()).toISOString();
      const { artefacts } = await makeAllowlist(
        query,
        { ...parsed.input, until },
        {
          identityLabel: config.identity.label,
          clusterName: config.clusterName,
          thresholds: config.jobs.completeness,
          dnsAddresses: config.dnsAddresses,
        },
      );
      return artefacts.length === 0 ? undefined : artefacts.map(({ content }) => content).join('---\n');
    },
    readRuns: async () =>
      (await listRuns(temporal.client, runsShown)).map(({ startedAt, closedAt, ...run }) => ({
        ...run,
        startedAt: startedAt.toISOString(),
        closedAt: closedAt?.toISOString() ?? null,
      })),
  };
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address ? address.port : 0;
}
