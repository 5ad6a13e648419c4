import { Command } from 'commander';
import type { Remnant } from '../temporal/retire.ts';
import { print, printOutput, printTable } from './output/output.ts';
import { usageFailure } from './input/usage-error.ts';

interface RetireOptions {
  trailId?: string;
  apply?: boolean;
  json?: boolean;
}

export function retireCommand(): Command {
  return new Command('retire')
    .description(
      'Remove a trail from Temporal once its workers are stopped: the supervisor, the workflow of the flow-log export and the ' +
        'schedules. The database and past runs are kept. Fails if workers are still polling or the trail belongs to another database.',
    )
    .option(
      '--trail-id <id>',
      'id of the trail, if its database is lost; default: the id in the database of DATABASE_URL',
    )
    .option('--apply', 'remove them; without this option nothing is changed')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
CLUSTER_NAME, TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE select the trail.
docs/clusters.md describes how to rename, move and remove a trail.

Examples:
  flow-trail retire
  flow-trail retire --apply`,
    )
    .action(async ({ trailId, apply = false, json }: RetireOptions) => {
      const found = await retire(trailId, apply);
      if (json === true) {
        const removed = found.map(({ taskQueue: _taskQueue, ...shown }) => shown);
        return printOutput('retire', { isDryRun: !apply, removed });
      }
      if (found.length === 0) return print('Nothing of this trail is left in Temporal.');
      printTable(
        [apply ? 'REMOVED' : 'WOULD REMOVE', 'ID'],
        found.map(({ kind, id }) => [kind, id]),
      );
      if (!apply) print('Nothing was changed. Add --apply to remove them.');
    });
}

/** @throws UsageFailure, ConfigFailure, DatabaseFailure, TemporalFailure */
async function retire(given: string | undefined, isApplied: boolean): Promise<Remnant[]> {
  const { loadTrailNames } = await import('../config/cluster-config.ts');
  const { expectRemnantsOf, findRemnants, removeRemnants } = await import('../temporal/retire.ts');
  const { readPollers } = await import('../temporal/control-facts.ts');
  const { workersRunning } = await import('../temporal/failure.ts');
  const { withTemporal } = await import('./connect/with-temporal.ts');
  const names = loadTrailNames(process.env);
  const { trailId, clockAheadMs } =
    given === undefined ? await askTrail() : { trailId: given, clockAheadMs: 0 };
  return withTemporal(async ({ client, inTime }) => {
    const remnants = await inTime(() => findRemnants(client, names));
    expectRemnantsOf(trailId, remnants);
    // Not only that of the settings, where TEMPORAL_TASK_QUEUE of the workers may be missing.
    for (const taskQueue of new Set([names.taskQueue, ...remnants.map((remnant) => remnant.taskQueue)])) {
      const pollers = await inTime(() => readPollers(client, taskQueue, clockAheadMs));
      // They would create everything again within a minute.
      if (pollers > 0) throw workersRunning(pollers, taskQueue);
    }
    if (isApplied) await inTime(() => removeRemnants(client, remnants));
    return remnants;
  });
}

/** Of a database of any cluster: after a rename, its workers have another CLUSTER_NAME. @throws UsageFailure, DatabaseFailure */
async function askTrail(): Promise<{ trailId: string; clockAheadMs: number }> {
  const { isDatabaseConfigured } = await import('./connect/database-trail-id.ts');
  const { withOpenDatabase } = await import('./connect/with-database.ts');
  const { readTrailId } = await import('../trail/database/trail-id.ts');
  const { readClockAhead } = await import('../trail/database/database-clock.ts');
  if (!isDatabaseConfigured())
    throw usageFailure(
      '--trail-id',
      'no database is configured; set DATABASE_URL, or give the id of the lost database as --trail-id (the field trailId in the memo of the supervisor)',
    );
  return withOpenDatabase(
    async ({ query }) => ({ trailId: await readTrailId(query), clockAheadMs: await readClockAhead(query) }),
    { isReadOnly: true, cluster: '' },
  );
}
