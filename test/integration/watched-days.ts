import type { Clock } from '../../src/time/clock.ts';
import type { Database } from '../../src/trail/database.ts';
import { merge } from '../../src/trail/merge.ts';
import type { FactEnd, TrailRecord } from '../../src/trail/record.ts';
import { batch, options, podIn } from './ledger-batches.ts';

/** Monday 2 November 2026, 00:00 UTC and in London. */
export const monday = Date.parse('2026-11-02T00:00:00Z') / 1000;

/** A moment so many days after that Monday, at a bucket's start. */
export function at(days: number): number {
  return Math.round((monday + days * 86_400) / 15) * 15;
}

/** A clock that stands still so many days after that Monday, until it is put. */
export function standingClock(days: number): Clock & { put(days: number): void } {
  let now = at(days) * 1000;
  return {
    now: () => now,
    elapsed: () => now,
    sleep: () => Promise.resolve(),
    realMs: (ms) => ms,
    put(next) {
      now = at(next) * 1000;
    },
  };
}

/** One record from one end to another. */
export function talk(src: FactEnd, dst: FactEnd): TrailRecord {
  const isEdge =
    src.kind === 'workload' && dst.kind === 'workload' && src.ns !== dst.ns && src.ns !== '' && dst.ns !== '';
  return {
    key: { content: `${src.ns} ${dst.ns}` },
    ...(isEdge ? { edge: { srcNs: src.ns, dstNs: dst.ns, action: 'allow' } } : {}),
    fact: { src, dst, protocol: 'tcp', port: 80, reporter: 'src', action: 'allow' },
  };
}

/** Lists one bucket so many days after that Monday. */
export async function see(database: Database, days: number, ...records: TrailRecord[]): Promise<void> {
  await merge(database, [batch(at(days), records, { settled: 'final' })], options);
}

/** Two namespaces that talk at noon, each day from one to another. */
export async function seeDaily(
  database: Database,
  from: number,
  to: number,
  src = 'a',
  dst = 'b',
): Promise<void> {
  const batches = Array.from({ length: to - from }, (_, index) =>
    batch(at(from + index + 0.5), [talk(podIn(src), podIn(dst))], { settled: 'final' as const }),
  );
  await merge(database, batches, options);
}

/** Writes down that all time from that Monday on, or another day, was settled, and has left the ledger. */
export async function cover(database: Database, days: number, from = 0): Promise<void> {
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
