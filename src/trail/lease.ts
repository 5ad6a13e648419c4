import { randomUUID } from 'node:crypto';
import type { Database } from './database.ts';

/** A worker that vanished keeps others from the work for this long. */
const leaseSeconds = 60;
const renewEveryMs = 15_000;

/** Proves that this process still has the lease. @throws DatabaseFailure; Error when another process has taken it */
export type HoldLease = () => Promise<void>;

/**
 * Does the work while no other process does work under the same name; undefined when one does. `work` calls `hold` before
 * each step that must not happen twice: the lease is renewed meanwhile, but a process that stood still for a minute has lost
 * it. What `work` throws comes through.
 * @throws DatabaseFailure
 */
export async function withLease<Result>(
  database: Database,
  name: string,
  work: (hold: HoldLease) => Promise<Result>,
): Promise<Result | undefined> {
  const holder = randomUUID();
  const take = async (): Promise<boolean> => {
    const rows = await database.query(
      `insert into lease as l (name, holder, expires_at) values ($1, $2, now() + make_interval(secs => $3))
       on conflict (name) do update set holder = excluded.holder, expires_at = excluded.expires_at
         where l.holder = excluded.holder or l.expires_at < now()
       returning 1`,
      [name, holder, leaseSeconds],
    );
    return rows.length > 0;
  };
  if (!(await take())) return undefined;
  // A renewal that fails is no failure of the work: `hold` finds out.
  const renewal = setInterval(() => void take().catch(() => undefined), renewEveryMs);
  try {
    return await work(async () => {
      if (!(await take())) throw new Error(`another worker has taken the lease ${name}`);
    });
  } finally {
    clearInterval(renewal);
    await database
      .query('delete from lease where name = $1 and holder = $2', [name, holder])
      .catch(() => undefined);
  }
}
