/** `firstSeconds` and `lastSeconds` (epoch seconds) as the times `firstSeen` and `lastSeen` of JSON. */
export function withSeenTimes<Row extends { readonly firstSeconds: number; readonly lastSeconds: number }>({
  firstSeconds,
  ...row
}: Row) {
  return { firstSeen: new Date(firstSeconds * 1000), ...withLastSeen(row) };
}

/** The same for rows that have only the last time. */
export function withLastSeen<Row extends { readonly lastSeconds: number }>({ lastSeconds, ...row }: Row) {
  return { ...row, lastSeen: new Date(lastSeconds * 1000) };
}
