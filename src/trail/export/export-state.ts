import type { Query } from '../database/database.ts';

const switchedOff = 'the export was disabled: OTLP_LOGS_ENDPOINT was not set';

/** The state of the export in the database. */
export interface ExportState {
  isEnabled: boolean;
  /** host:port */
  receiver: string | undefined;
  activeAt: Date | undefined;
  sentAt: Date | undefined;
  /** The last reason why records could not be sent, and when; not cleared when sending works again. */
  trouble: { text: string; at: Date } | undefined;
  /** All settled buckets before this time were exported, or their gaps are decided. Undefined before the first settled bucket. */
  upToSeconds: number | undefined;
  /** Settled buckets waiting to be exported. */
  waiting: number;
}

/** Records that the export works: it listed, sent, or found nothing to do. @throws DatabaseFailure */
export async function noteExportActive(query: Query, receiver: string, nowSeconds: number): Promise<void> {
  await query(
    `update export_state set enabled = true, receiver = $1, active_at = to_timestamp($2),
       began_at = coalesce(began_at, (select min(l.bucket) from bucket_ledger l, trail_state t
         where l.settled_at is not null and l.bucket >= coalesce(t.decided_until, '-infinity')))`,
    [receiver, nowSeconds],
  );
}

/** @throws DatabaseFailure */
export async function noteExportSent(query: Query, nowSeconds: number): Promise<void> {
  await query('update export_state set sent_at = to_timestamp($1)', [nowSeconds]);
}

/** @throws DatabaseFailure */
export async function noteExportTrouble(query: Query, trouble: string, nowSeconds: number): Promise<void> {
  await query('update export_state set trouble = $1, trouble_at = to_timestamp($2)', [trouble, nowSeconds]);
}

/** Records that a worker without a receiver started. @returns whether the export was enabled before @throws DatabaseFailure */
export async function noteExportOff(query: Query, nowSeconds: number): Promise<boolean> {
  const rows = await query(
    `update export_state set enabled = false, trouble = $1, trouble_at = to_timestamp($2)
     where enabled returning 1`,
    [switchedOff, nowSeconds],
  );
  return rows.length > 0;
}

/** @throws DatabaseFailure */
export async function readExportState(query: Query): Promise<ExportState> {
  const [row] = await query<{
    enabled: boolean;
    receiver: string | null;
    active_at: Date | null;
    sent_at: Date | null;
    trouble: string | null;
    trouble_at: Date | null;
    oldest: number | null;
    newest: number | null;
    waiting: number;
  }>(
    `select s.enabled, s.receiver, s.active_at, s.sent_at, s.trouble, s.trouble_at,
       extract(epoch from w.oldest)::float8 as oldest, w.waiting::int as waiting,
       extract(epoch from n.newest)::float8 as newest
     from export_state s,
       lateral (select min(l.bucket) as oldest, count(*) as waiting
         from bucket_ledger l left join bucket_export e using (bucket), trail_state t
         where l.settled_at is not null and l.settled <> '' and l.bucket >= coalesce(t.decided_until, '-infinity')
           and e.done_at is null and e.given_up is null) w,
       lateral (select max(bucket) + interval '15 seconds' as newest from bucket_ledger where settled_at is not null) n`,
  );
  const upToSeconds = row?.oldest ?? row?.newest ?? undefined;
  return {
    isEnabled: row?.enabled ?? false,
    receiver: row?.receiver ?? undefined,
    activeAt: row?.active_at ?? undefined,
    sentAt: row?.sent_at ?? undefined,
    trouble: row?.trouble && row.trouble_at ? { text: row.trouble, at: row.trouble_at } : undefined,
    upToSeconds,
    waiting: row?.waiting ?? 0,
  };
}
