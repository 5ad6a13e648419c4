import { printable } from './printable.ts';

/**
 * One line of CSV, quoted according to RFC 4180. Text is made printable, and text that a spreadsheet would run as a
 * formula gets a leading apostrophe (OWASP, "CSV Injection"). Numbers are unchanged.
 */
export function csvLine(cells: readonly (string | number)[]): string {
  return `${cells.map(csvCell).join(',')}\r\n`;
}

function csvCell(cell: string | number): string {
  if (typeof cell === 'number') return String(cell);
  const text = printable(/^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell);
  return /[",]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
