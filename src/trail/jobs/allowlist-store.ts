import type { Database, Query } from '../database/database.ts';

interface AllowlistFile {
  readonly path: string;
  readonly content: string;
}

export interface StoredAllowlist {
  readonly allowlistId: string;
  readonly madeAt: Date;
  readonly input: unknown;
  readonly summary: unknown;
}

/** Stores an allowlist and its files unless it is already stored. @throws DatabaseFailure */
export function storeAllowlist(
  database: Database,
  { allowlistId, input, summary }: Omit<StoredAllowlist, 'madeAt'>,
  files: readonly AllowlistFile[],
): Promise<void> {
  return database.transaction(async (query) => {
    const added = await query(
      `insert into allowlist (allowlist_id, input, summary) values ($1, $2::jsonb, $3::jsonb)
       on conflict do nothing returning 1`,
      [allowlistId, JSON.stringify(input), JSON.stringify(summary)],
    );
    if (added.length === 0) return;
    await query(
      `insert into allowlist_file (allowlist_id, path, content)
       select $1, path, content from unnest($2::text[], $3::text[]) as i(path, content)`,
      [allowlistId, files.map(({ path }) => path), files.map(({ content }) => content)],
    );
  });
}

/** The newest allowlists, without their files; newest first. @throws DatabaseFailure */
export function listAllowlists(query: Query, limit: number): Promise<StoredAllowlist[]> {
  return query<StoredAllowlist>(
    `select allowlist_id as "allowlistId", made_at as "madeAt", input, summary
     from allowlist order by made_at desc, allowlist_id limit $1`,
    [limit],
  );
}

/** An allowlist's files by path; undefined if the allowlist does not exist. @throws DatabaseFailure */
export async function readAllowlistFiles(
  query: Query,
  allowlistId: string,
): Promise<AllowlistFile[] | undefined> {
  const rows = await query<{ path: string | null; content: string }>(
    `select f.path, f.content from allowlist a left join allowlist_file f using (allowlist_id)
     where a.allowlist_id = $1 order by f.path collate "C"`,
    [allowlistId],
  );
  if (rows.length === 0) return undefined;
  return rows.flatMap(({ path, content }) => (path === null ? [] : [{ path, content }]));
}
