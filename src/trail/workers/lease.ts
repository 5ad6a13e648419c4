import { randomUUID } from 'node:crypto';
import type { Database } from '../database/database.ts';

/** A lease expires this long after its last renewal. */
const leaseSeconds = 60;
const renewEveryMs = 15_000;

/** Renews the lease. @throws DatabaseFailure; Error when another process has taken it */
export type HoldLease = () => Promise<void>;

/**
 * Runs `work` unless another process holds the lease of this name. `work` must call `hold` before each step that must
 * not happen twice: the lease is renewed in the background, but a process that was suspended for a minute has lost it.
 * @returns the result of `work`; undefined when another process holds the lease
 * @throws DatabaseFailure; whatever `work` throws
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
  // A failed renewal alone does not end the work; `hold` detects a lost lease.
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
