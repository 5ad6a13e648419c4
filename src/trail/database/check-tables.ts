import { databaseFailure, missingRow } from './database-failure.ts';
import type { Query } from './database.ts';

/** Tables and views that the migrations created; `integration/damaged-database.test.ts` compares them. */
export const relations: readonly string[] = [
  'adoption',
  'alert',
  'allowlist',
  'allowlist_file',
  'announced_edge',
  'bucket_export',
  'bucket_ledger',
  'bucket_listing',
  'completeness_report',
  'coverage',
  'digest',
  'digest_message',
  'edge',
  'edge_adopted',
  'end_identity',
  'export_gap',
  'export_state',
  'flow_fact',
  'flow_fact_day',
  'flow_fact_days',
  'flow_fact_month',
  'flow_facts',
  'flow_group',
  'flow_trail_migration',
  'goldmane_run',
  'identity_overflow',
  'lease',
  'namespace_day',
  'namespace_verdict',
  'policy_trace',
  'record_salt',
  'removal',
  'removal_edge',
  'tls_contact',
  'trail_state',
  'verification',
  'worker_process',
];

/**
 * Checks that nothing that the migrations created has been removed since. Call this for a schema that is up to date.
 * @throws DatabaseFailure `damaged`
 */
export async function checkTables(query: Query): Promise<void> {
  const missing = await query<{ name: string }>(
    'select name from unnest($1::text[]) as i(name) where to_regclass(name) is null order by name',
    [relations],
  );
  if (missing.length > 0)
    throw databaseFailure(
      'damaged',
      `the database is damaged: tables or views are missing: ${missing.map(({ name }) => name).join(', ')}`,
    );
  // The row of `record_salt` is secret; each merge reads it.
  const empty = await query<{ name: string }>(
    `select name from (values ('trail_state', exists (select from trail_state)),
       ('export_state', exists (select from export_state))) as i(name, has_row) where not has_row`,
  );
  if (empty[0]) throw missingRow(empty[0].name);
}
