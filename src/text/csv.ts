import { printable } from './printable.ts';

/**
 * One line of CSV, quoted as RFC 4180 says. Text is made printable; what a spreadsheet would run as a formula gets a leading
 * apostrophe (OWASP, "CSV Injection"). Numbers stay as they are.
 */
export function csvLine(cells: readonly (string | number)[]): string {
  return `${cells.map(csvCell).join(',')}\r\n`;
}

function csvCell(cell: string | number): string {
  if (typeof cell === 'number') return String(cell);
  const text = printable(/^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell);
  return /[",]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
