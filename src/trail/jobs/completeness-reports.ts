import type { Database, Query } from '../database/database.ts';

/** A stored verdict and when the namespace got it. */
interface KeptVerdict {
  namespace: string;
  verdict: string;
  since: Date;
}

/** A report as stored before it was posted for the first time. */
export interface FrozenReport<Summary, Message> {
  reportId: string;
  summary: Summary;
  /** Undefined when there is nothing to post. */
  message: Message | undefined;
  /** Undefined until it is posted. */
  postedAt: Date | undefined;
}

interface NewReport<Summary, Message> {
  reportId: string;
  madeAt: Date;
  summary: Summary;
  namespaces: readonly KeptVerdict[];
  message: Message | undefined;
  /** Whether the message lists all namespaces, not only changes. */
  isWhole: boolean;
}

/** The last posted verdicts, by namespace. @throws DatabaseFailure */
export async function readToldVerdicts(query: Query): Promise<Map<string, string>> {
  const rows = await query<{ namespace: string; verdict: string }>(
    'select namespace, told_verdict as verdict from namespace_verdict where told_verdict is not null',
  );
  return new Map(rows.map(({ namespace, verdict }) => [namespace, verdict]));
}

/** When a report on all namespaces was last posted. @throws DatabaseFailure */
export async function readLastWholeReport(query: Query): Promise<Date | undefined> {
  const [row] = await query<{ at: Date | null }>(
    'select max(made_at) as at from completeness_report where is_whole and posted_at is not null',
  );
  return row?.at ?? undefined;
}

/** @throws DatabaseFailure */
export async function readReport<Summary, Message>(
  query: Query,
  reportId: string,
): Promise<FrozenReport<Summary, Message> | undefined> {
  const [row] = await query<{ summary: Summary; message: Message | null; posted_at: Date | null }>(
    'select summary, message, posted_at from completeness_report where report_id = $1',
    [reportId],
  );
  if (!row) return undefined;
  return {
    reportId,
    summary: row.summary,
    message: row.message ?? undefined,
    postedAt: row.posted_at ?? undefined,
  };
}

/**
 * Stores a report and its verdicts, unless a report with the same id exists.
 * @returns whether this call stored it
 * @throws DatabaseFailure
 */
export function freezeReport<Summary, Message>(
  database: Database,
  { reportId, madeAt, summary, namespaces, message, isWhole }: NewReport<Summary, Message>,
): Promise<boolean> {
  return database.transaction(async (query) => {
    const kept = await query(
      `insert into completeness_report (report_id, made_at, summary, namespaces, message, is_whole)
       values ($1, $2, $3, $4, $5, $6) on conflict do nothing returning 1`,
      [
        reportId,
        madeAt,
        JSON.stringify(summary),
        JSON.stringify(namespaces),
        message === undefined ? null : JSON.stringify(message),
        isWhole,
      ],
    );
    if (kept.length === 0) return false;
    await query(
      `insert into namespace_verdict as v (namespace, verdict, since, report_id)
       select namespace, verdict, since, $4 from unnest($1::text[], $2::text[], $3::timestamptz[])
         as i(namespace, verdict, since) order by namespace
       on conflict (namespace) do update
         set verdict = excluded.verdict, since = excluded.since, report_id = excluded.report_id`,
      [
        namespaces.map(({ namespace }) => namespace),
        namespaces.map(({ verdict }) => verdict),
        namespaces.map(({ since }) => since),
        reportId,
      ],
    );
    return true;
  });
}

/** Whether a later report has been posted. @throws DatabaseFailure */
export async function isReportOvertaken(query: Query, reportId: string): Promise<boolean> {
  const rows = await query(
    `select from completeness_report r join completeness_report later on later.made_at > r.made_at
     where r.report_id = $1 and later.posted_at is not null limit 1`,
    [reportId],
  );
  return rows.length > 0;
}

/** Records in one transaction that the report and each of its verdicts were posted. @throws DatabaseFailure */
export function markReportTold(database: Database, reportId: string, nowSeconds: number): Promise<void> {
  return database.transaction(async (query) => {
    await query('update completeness_report set posted_at = to_timestamp($2) where report_id = $1', [
      reportId,
      nowSeconds,
    ]);
    await query(
      `update namespace_verdict v set told_verdict = n.verdict
       from completeness_report r, jsonb_to_recordset(r.namespaces) as n(namespace text, verdict text)
       where r.report_id = $1 and v.namespace = n.namespace`,
      [reportId],
    );
  });
}

/** Deletes reports made before that time; the current verdicts stay. @throws DatabaseFailure */
export async function forgetReports(query: Query, beforeSeconds: number): Promise<number> {
  const rows = await query('delete from completeness_report where made_at < to_timestamp($1) returning 1', [
    beforeSeconds,
  ]);
  return rows.length;
}
