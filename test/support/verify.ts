import { expect } from 'vitest';
import type { Database } from '../../src/trail/database/database.ts';
import { isDatabaseFailure } from '../../src/trail/database/database-failure.ts';
import { verify } from '../../src/trail/verify.ts';

const unavailableKinds = new Set([
  'connection_refused',
  'lost',
  'starting',
  'no_schema',
  'no_database',
  'timeout',
]);

/** Expects consistent tables after each test; skipped if the test stopped the database. */
export async function expectVerified(database: Database): Promise<void> {
  try {
    expect(await verify(database)).toEqual([]);
  } catch (error) {
    if (!isDatabaseFailure(error) || !unavailableKinds.has(error.kind)) throw error;
  }
}
