import type { Query } from '../database/database.ts';

interface AlertState {
  state: string;
  detail: string;
  /** When it entered this state. */
  since: Date;
  /** The last posted state; undefined if none was posted. */
  postedState: string | undefined;
}

/** Records the result of a check and when that result first appeared. @throws DatabaseFailure */
export async function recordAlert(
  query: Query,
  alert: string,
  { state, detail }: Pick<AlertState, 'state' | 'detail'>,
  nowSeconds: number,
): Promise<AlertState> {
  const [row] = await query<{ since: Date; told_state: string | null }>(
    `insert into alert as a (alert, state, detail, since, checked_at)
     values ($1, $2, $3, to_timestamp($4), to_timestamp($4))
     on conflict (alert) do update set state = excluded.state, detail = excluded.detail,
       checked_at = excluded.checked_at,
       since = case when a.state = excluded.state then a.since else excluded.since end
     returning since, told_state`,
    [alert, state, detail, nowSeconds],
  );
  return {
    state,
    detail,
    since: row?.since ?? new Date(nowSeconds * 1000),
    postedState: row?.told_state ?? undefined,
  };
}

/** Whether the state needs no message: it was the last one posted, or it is `good` and nothing was ever posted. */
export function isPosted({ state, postedState }: Pick<AlertState, 'state' | 'postedState'>): boolean {
  return state === (postedState ?? 'good');
}

/** Records that this state was posted. @throws DatabaseFailure */
export async function markAlertPosted(
  query: Query,
  alert: string,
  state: string,
  nowSeconds: number,
): Promise<void> {
  await query('update alert set told_state = $2, told_at = to_timestamp($3) where alert = $1', [
    alert,
    state,
    nowSeconds,
  ]);
}

/** The last result of a check; undefined if it never ran. @throws DatabaseFailure */
export async function readAlert(
  query: Query,
  alert: string,
): Promise<(Pick<AlertState, 'state' | 'detail'> & { checkedAt: Date }) | undefined> {
  const [row] = await query<{ state: string; detail: string; checkedAt: Date }>(
    'select state, detail, checked_at as "checkedAt" from alert where alert = $1',
    [alert],
  );
  return row;
}
