import { note, print, printJson } from './output.ts';

/** Prints at most `limit` rows of those found, as JSON or with `show`, and says when there are more. */
export function printCut<Row>(
  found: readonly Row[],
  {
    limit,
    asJson,
    show,
    toJson = (row) => row,
  }: {
    limit: number;
    asJson: boolean;
    show: (rows: readonly Row[]) => void;
    toJson?: (row: Row) => unknown;
  },
): void {
  const rows = found.slice(0, limit);
  if (asJson) printJson(rows.map(toJson));
  else {
    show(rows);
    if (rows.length === 0) print('(nothing matches)');
  }
  if (found.length > rows.length)
    note(`only the first ${limit} lines are shown, and there are more; raise --limit to see them`);
}
