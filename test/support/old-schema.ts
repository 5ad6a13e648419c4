import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { z } from 'zod';
import type { Database } from '../../src/trail/database/database.ts';
import { migrate } from '../../src/trail/database/migrate.ts';

/** The last migration of the version that wrote the rows. */
export const oldSchema = '0035_trail_id';

const tables = z.record(z.string(), z.array(z.record(z.string(), z.unknown())));

/**
 * Migrates to `oldSchema` and inserts rows that the worker of that version wrote for the first four buckets of the capture.
 * All four were streamed without every 20th record, the last also without every second one. The first was listed and
 * is final, the second was listed and is settled.
 */
export async function createOldSchema(database: Database): Promise<void> {
  await migrate(database, { upTo: oldSchema });
  const file = new URL('../fixtures/schema-0035.json.gz', import.meta.url);
  const rows = tables.parse(JSON.parse(gunzipSync(readFileSync(file)).toString('utf8')));
  await database.query('delete from trail_state');
  for (const [table, list] of Object.entries(rows))
    await database.query(
      `insert into ${table} overriding system value
       select * from jsonb_populate_recordset(null::${table}, $1) on conflict do nothing`,
      [JSON.stringify(list)],
    );
  for (const [table, column] of [
    ['flow_group', 'group_id'],
    ['flow_fact', 'fact_id'],
  ])
    await database.query(
      `select setval(pg_get_serial_sequence('${table}', '${column}'), (select max(${column}) from ${table}))`,
    );
}
