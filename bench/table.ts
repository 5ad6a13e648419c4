/** One line of the result. */
export interface Row {
  section: string;
  what: string;
  value: number;
  unit: string;
  /** Upper or lower limit; absent for informational values. */
  limit?: { atMost: number } | { atLeast: number };
  note?: string;
  /** Why it was not measured; the value means nothing then. */
  skipped?: string;
}

export type Verdict = 'ok' | 'over' | 'skipped' | '';

export function verdictOf({ value, limit, skipped }: Row): Verdict {
  if (skipped !== undefined) return 'skipped';
  if (!limit) return '';
  const isKept = 'atMost' in limit ? value <= limit.atMost : value >= limit.atLeast;
  return isKept ? 'ok' : 'over';
}

/** Formats the rows as a plain-text table, one line each, numbers aligned. */
export function formatTable(rows: readonly Row[]): string {
  const cells = [
    ['section', 'what', 'measured', '', 'limit', '', ''],
    ...rows.map((row) => [
      row.section,
      row.what,
      row.skipped === undefined ? formatNumber(row.value) : '',
      row.unit,
      formatLimit(row.limit),
      verdictOf(row),
      row.skipped ?? row.note ?? '',
    ]),
  ];
  return alignColumns(cells, 2);
}

/** Lines of equal columns; one of them may be aligned at its right end. */
export function alignColumns(cells: readonly (readonly string[])[], rightAligned?: number): string {
  const widths =
    cells[0]?.map((_, column) => Math.max(...cells.map((line) => line[column]?.length ?? 0))) ?? [];
  return cells
    .map((line) =>
      line
        .map((text, column) =>
          column === rightAligned ? text.padStart(widths[column] ?? 0) : text.padEnd(widths[column] ?? 0),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** The value of a row with its unit, its limit and its note. */
export function describeRow({ value, unit, limit, note, skipped }: Row): string {
  if (skipped !== undefined) return skipped;
  const within = limit === undefined ? '' : ` (${formatLimit(limit)})`;
  return `${formatNumber(value)} ${unit}`.trim() + within + (note === undefined ? '' : `; ${note}`);
}

function formatLimit(limit: Row['limit']): string {
  if (!limit) return '';
  return 'atMost' in limit ? `<= ${formatNumber(limit.atMost)}` : `>= ${formatNumber(limit.atLeast)}`;
}

function formatNumber(value: number): string {
  if (Number.isInteger(value)) return value.toLocaleString('en-US');
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : Math.abs(value) >= 0.1 ? 2 : 4;
  return value.toLocaleString('en-US', { maximumFractionDigits: digits, minimumFractionDigits: digits });
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const [low = Number.NaN, high = Number.NaN] = [
    sorted[sorted.length % 2 === 0 ? middle - 1 : middle],
    sorted[middle],
  ];
  return (low + high) / 2;
}
