import type { Query } from '../database/database.ts';

const prefix = 'worker/';
/** How long a row is valid after its renewal. */
const presenceSeconds = 30;
/** After this time Temporal's heartbeat timeout has failed the attempts of such a worker (`workflows/supervise-trail.ts`). */
const reportedMinutes = 5;

/** Renews the rows that show other workers of the trail that this one is alive, and reads which workers did not
 * renew theirs. All times are the database's.
 * @param identity of the worker in Temporal
 * @param holder a random UUID of the process
 * @returns identities of workers that stopped renewing in the last minutes and did not remove their row
 * @throws DatabaseFailure
 */
export async function renewPresence(query: Query, identity: string, holder: string): Promise<string[]> {
  const rows = await query<{ name: string }>(
    `with mine as (
       insert into lease (name, holder, expires_at) values ($1, $2, now() + make_interval(secs => $3))
       on conflict (name) do update set holder = excluded.holder, expires_at = excluded.expires_at
     ), former as (
       delete from lease where starts_with(name, $4) and expires_at < now() - make_interval(mins => $5)
     )
     select name from lease
     where starts_with(name, $4) and name <> $1
       and expires_at between now() - make_interval(mins => $5) and now()
     order by name`,
    [prefix + identity, holder, presenceSeconds, prefix, reportedMinutes],
  );
  return rows.map(({ name }) => name.slice(prefix.length));
}

/** Removes the row of a worker that shuts down. @throws DatabaseFailure */
export async function removePresence(query: Query, identity: string, holder: string): Promise<void> {
  await query('delete from lease where name = $1 and holder = $2', [prefix + identity, holder]);
}
