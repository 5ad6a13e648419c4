import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { errorCode } from '../../src/failure/thrown.ts';
import { trailNames } from '../../src/config/temporal-names.ts';
import { connectClient } from '../../src/temporal/connection.ts';
import { findRemnants, removeRemnants } from '../../src/temporal/retire.ts';
import { temporalConfig } from '../../src/temporal/settings.ts';

/**
 * The CLUSTER_NAME for an embedded database on the user's own Temporal server: its names must differ from those of any
 * real trail on that server. Stored in `file`, so that the next start continues with the same supervisor.
 */
export async function ownClusterName(file: string): Promise<string> {
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
  }
  const name = `local-${randomBytes(4).toString('hex')}`;
  await writeFile(file, `${name}\n`);
  return name;
}

/** Removes the supervisors of the readers and of the export, and the schedules of a cluster. @throws TemporalFailure, or whatever the client throws */
export async function removeTrail(clusterName: string): Promise<void> {
  const { client, connection } = await connectClient(temporalConfig());
  try {
    await removeRemnants(client, await findRemnants(client, trailNames(clusterName)), 'npm start ended');
  } finally {
    await connection.close();
  }
}
