import type { Clock } from '../../src/time/clock.ts';
import type { Database } from '../../src/trail/database/database.ts';
import { merge } from '../../src/trail/merge/merge.ts';
import type { FactEnd, TrailRecord } from '../../src/trail/record.ts';
import { batch, options, podIn } from './ledger-batches.ts';

/** Monday 2 November 2026, 00:00 UTC, which is also 00:00 in London. */
export const monday = Date.parse('2026-11-02T00:00:00Z') / 1000;

/** The start of the bucket that contains the time `days` after `monday`. */
export function at(days: number): number {
  return Math.round((monday + days * 86_400) / 15) * 15;
}

/** A clock that stands still at `days` after `monday`, until `set`. */
export function fixedClock(days: number): Clock & { set(days: number): void } {
  let now = at(days) * 1000;
  return {
    now: () => now,
    elapsed: () => now,
    sleep: () => Promise.resolve(),
    realMs: (ms) => ms,
    set(next) {
      now = at(next) * 1000;
    },
  };
}

/** A record from one end to another. */
export function recordBetween(src: FactEnd, dst: FactEnd): TrailRecord {
  const isEdge =
    src.kind === 'workload' && dst.kind === 'workload' && src.ns !== dst.ns && src.ns !== '' && dst.ns !== '';
  return {
    key: { content: `${src.ns} ${dst.ns}` },
    ...(isEdge ? { edge: { srcNs: src.ns, dstNs: dst.ns, action: 'allow' } } : {}),
    fact: { src, dst, protocol: 'tcp', port: 80, reporter: 'src', action: 'allow' },
  };
}

/** Merges a settled bucket with these records at `days` after `monday`. */
export async function mergeRecords(
  database: Database,
  days: number,
  ...records: TrailRecord[]
): Promise<void> {
  await merge(database, [batch(at(days), records, { settled: 'final' })], options);
}

/** Merges traffic between two namespaces at noon of each day in a range. */
export async function mergeDaily(
  database: Database,
  from: number,
  to: number,
  src = 'a',
  dst = 'b',
): Promise<void> {
  const batches = Array.from({ length: to - from }, (_, index) =>
    batch(at(from + index + 0.5), [recordBetween(podIn(src), podIn(dst))], { settled: 'final' as const }),
  );
  await merge(database, batches, options);
}

/** Stores coverage as settled, between two days after `monday`, and expires the ledger. */
export async function storeSettled(database: Database, days: number, from = 0): Promise<void> {
  await database.query(
    `insert into coverage values (to_timestamp($1), to_timestamp($2), 'final')
     on conflict (from_time) do update set to_time = excluded.to_time`,
    [at(from), at(days)],
  );
  await database.query('delete from bucket_ledger');
  await database.query(
    `update trail_state set began_at = to_timestamp($1), decided_until = to_timestamp($2), expired_before = to_timestamp($2)`,
    [at(from), at(days)],
  );
}
