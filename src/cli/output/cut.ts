import { note, print } from './output.ts';

/** Prints at most `limit` of the rows found, with `showJson` or `show`, and prints a note if there are more. */
export function printCut<Row>(
  found: readonly Row[],
  {
    limit,
    asJson,
    show,
    showJson,
  }: {
    limit: number;
    asJson: boolean;
    show: (rows: readonly Row[]) => void;
    showJson: (rows: readonly Row[]) => void;
  },
): void {
  const rows = found.slice(0, limit);
  if (asJson) showJson(rows);
  else {
    show(rows);
    if (rows.length === 0) print('(nothing matches)');
  }
  if (found.length > rows.length) note(`${cutText(limit)}; raise --limit to see more`);
}

export function cutText(limit: number): string {
  return limit === 1 ? 'only the first line is shown' : `only the first ${limit} lines are shown`;
}
