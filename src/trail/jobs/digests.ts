import type { EdgeName } from './announcements.ts';
import type { Query } from '../database/database.ts';

interface FrozenMessage<Message> {
  /** From 1, in the order of posting. */
  part: number;
  message: Message;
  /** The edges that it announces. */
  edges: EdgeName[];
}

export interface FrozenDigest<Message, Summary> {
  digestId: string;
  summary: Summary;
  outcome: 'posted' | 'quiet' | undefined;
  messages: (FrozenMessage<Message> & { postedAt: Date | undefined })[];
}

/** A digest as `freezeDigest` stored it, with the types that it was given. @throws DatabaseFailure */
export async function readDigest<Message, Summary>(
  query: Query,
  digestId: string,
): Promise<FrozenDigest<Message, Summary> | undefined> {
  const [digest] = await query<{ summary: Summary; outcome: 'posted' | 'quiet' | null }>(
    'select summary, outcome from digest where digest_id = $1',
    [digestId],
  );
  if (!digest) return undefined;
  const rows = await query<{
    part: number;
    message: Message;
    edges: [string, string, string][];
    posted_at: Date | null;
  }>('select part, message, edges, posted_at from digest_message where digest_id = $1 order by part', [
    digestId,
  ]);
  return {
    digestId,
    summary: digest.summary,
    outcome: digest.outcome ?? undefined,
    messages: rows.map(({ part, message, edges, posted_at }) => ({
      part,
      message,
      edges: edges.map(([srcNs, dstNs, action]) => ({ srcNs, dstNs, action })),
      postedAt: posted_at ?? undefined,
    })),
  };
}

interface DigestToFreeze<Message, Summary> {
  digestId: string;
  summary: Summary;
  gapsReportedUntil: Date;
  messages: readonly Omit<FrozenMessage<Message>, 'part'>[];
}

/**
 * Stores the messages to post. A digest without messages is finished at once with the outcome `quiet`. Messages already
 * posted stay, and the new ones follow them. Call it in a transaction.
 * @throws DatabaseFailure
 */
export async function freezeDigest<Message, Summary>(
  query: Query,
  { digestId, summary, gapsReportedUntil, messages }: DigestToFreeze<Message, Summary>,
  nowSeconds: number,
): Promise<void> {
  await query(
    `insert into digest as d (digest_id, frozen_at, summary, gaps_told_until)
     values ($1, to_timestamp($2), $3, $4)
     on conflict (digest_id) do update set frozen_at = excluded.frozen_at, summary = excluded.summary,
       gaps_told_until = excluded.gaps_told_until, outcome = null, done_at = null`,
    [digestId, nowSeconds, JSON.stringify(summary), gapsReportedUntil],
  );
  await query('delete from digest_message where digest_id = $1 and posted_at is null', [digestId]);
  await query(
    `insert into digest_message (digest_id, part, message, edges)
     select $1, (select coalesce(max(part), 0) from digest_message where digest_id = $1) + n, message, edges
     from unnest($2::json[], $3::jsonb[]) with ordinality as i(message, edges, n)`,
    [
      digestId,
      messages.map(({ message }) => JSON.stringify(message)),
      messages.map(({ edges }) =>
        JSON.stringify(edges.map(({ srcNs, dstNs, action }) => [srcNs, dstNs, action])),
      ),
    ],
  );
  if (messages.length === 0) await finishDigest(query, digestId, nowSeconds);
}

/** Records that a message was posted. Call it in the transaction that marks its edges as announced. @throws DatabaseFailure */
export async function markPosted(
  query: Query,
  digestId: string,
  part: number,
  nowSeconds: number,
): Promise<void> {
  await query('update digest_message set posted_at = to_timestamp($3) where digest_id = $1 and part = $2', [
    digestId,
    part,
    nowSeconds,
  ]);
  await finishDigest(query, digestId, nowSeconds);
}

/** Does nothing while messages are waiting to be posted. */
async function finishDigest(query: Query, digestId: string, nowSeconds: number): Promise<void> {
  await query(
    `update digest set done_at = to_timestamp($2), outcome = case
         when exists (select from digest_message where digest_id = $1) then 'posted' else 'quiet' end
     where digest_id = $1
       and not exists (select from digest_message where digest_id = $1 and posted_at is null)`,
    [digestId, nowSeconds],
  );
}

/** Whether another digest announced one of the edges waiting in this one. @throws DatabaseFailure */
export async function isOvertaken(query: Query, digestId: string): Promise<boolean> {
  const [row] = await query<{ overtaken: boolean }>(
    `select exists (
       select from digest_message m cross join jsonb_array_elements(m.edges) as e(edge)
       join announced_edge a
         on a.src_ns = edge ->> 0 and a.dst_ns = edge ->> 1 and a.action = edge ->> 2
       where m.digest_id = $1 and m.posted_at is null) as overtaken`,
    [digestId],
  );
  return row?.overtaken ?? false;
}

interface DigestsBefore {
  /** When the newest posted digest was stored, and the time up to which it reported gaps. */
  posted: { frozenAt: Date; gapsReportedUntil: Date } | undefined;
  /** When the newest finished digest was stored; its outcome may be `quiet`. */
  doneAt: Date | undefined;
}

/** The digests before this one. @throws DatabaseFailure */
export async function readDigestsBefore(query: Query, digestId: string): Promise<DigestsBefore> {
  const rows = await query<{ outcome: string; frozen_at: Date; gaps_told_until: Date }>(
    `(select outcome, frozen_at, gaps_told_until from digest
      where outcome = 'posted' and digest_id <> $1 order by frozen_at desc limit 1)
     union all
     (select outcome, frozen_at, gaps_told_until from digest
      where outcome = 'quiet' and digest_id <> $1 order by frozen_at desc limit 1)`,
    [digestId],
  );
  const posted = rows.find(({ outcome }) => outcome === 'posted');
  const newest = Math.max(...rows.map(({ frozen_at }) => frozen_at.getTime()));
  return {
    posted: posted && { frozenAt: posted.frozen_at, gapsReportedUntil: posted.gaps_told_until },
    doneAt: rows.length === 0 ? undefined : new Date(newest),
  };
}

/** Ids of the newest digests that posted something, newest first. @throws DatabaseFailure */
export async function newestDigestIds(query: Query, limit: number): Promise<string[]> {
  const rows = await query<{ digest_id: string }>(
    `select digest_id from digest where outcome = 'posted' order by frozen_at desc limit $1`,
    [limit],
  );
  return rows.map(({ digest_id }) => digest_id);
}

export interface StoredDigest {
  digestId: string;
  frozenAt: Date;
  /** Undefined while a message waits to be posted. */
  outcome: 'posted' | 'quiet' | undefined;
}

/** The first digest of a time or later, whatever its outcome. @throws DatabaseFailure */
export async function firstDigestSince(query: Query, since: Date): Promise<StoredDigest | undefined> {
  const [row] = await query<{ digest_id: string; frozen_at: Date; outcome: 'posted' | 'quiet' | null }>(
    'select digest_id, frozen_at, outcome from digest where frozen_at >= $1 order by frozen_at limit 1',
    [since],
  );
  return row && { digestId: row.digest_id, frozenAt: row.frozen_at, outcome: row.outcome ?? undefined };
}

/** When the newest finished digest was stored, and the oldest unfinished one after it. @throws DatabaseFailure */
export async function readDigestProgress(
  query: Query,
): Promise<{ doneAt: Date | undefined; waitingSince: Date | undefined }> {
  const [row] = await query<{ done: Date | null; waiting: Date | null }>(
    `select done, (select min(frozen_at) from digest
         where outcome is null and frozen_at > coalesce(done, '-infinity')) as waiting
     from (select max(frozen_at) filter (where outcome is not null) as done from digest) d`,
  );
  return { doneAt: row?.done ?? undefined, waitingSince: row?.waiting ?? undefined };
}
