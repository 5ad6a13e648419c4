import type { CommandOutput, OutputName } from '../schemas/index.ts';
import { printable, printableJson, printableLines } from '../../text/printable.ts';
import { wallClockText } from '../../time/wall-clock.ts';
import { displayTimeZone } from '../input/time-zone.ts';

/** The number of rows of a table, or names in a cell, unless a command has its own limit. */
export const mostRows = 500;

interface TableOptions {
  /** Rows beyond it are only counted. */
  limit?: number;
}

/**
 * Columns padded to their widest cell of at most 100 characters, two spaces apart, without trailing spaces. Cells are made
 * printable. A line counts the rows that are left out.
 */
export function formatTable(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  { limit = mostRows }: TableOptions = {},
): string {
  return [...tableLines(header, rows.slice(0, limit)), ...leftOutLines(rows.length, limit)].join('\n');
}

/** What to print after `limit` of `count` rows. */
export function leftOutLines(count: number, limit = mostRows): string[] {
  return count > limit ? [`(${count - limit} more of ${count}; --json prints all)`] : [];
}

/** A table on standard output; in a terminal, its header is bold, and rows with denied or missing data are red. */
export function printTable(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  { limit = mostRows }: TableOptions = {},
): void {
  const [first = '', ...shown] = tableLines(header, rows.slice(0, limit));
  const leftOut = leftOutLines(rows.length, limit);
  if (!isColoured()) return write([first, ...shown, ...leftOut].join('\n'));
  const isAlarming = (row: readonly string[] | undefined) => row?.some((cell) => alarming.has(cell)) === true;
  const coloured = shown.map((line, index) => (isAlarming(rows[index]) ? red(line) : line));
  write([bold(first), ...coloured, ...leftOut].join('\n'));
}

const alarming = new Set(['deny', 'gap', 'incomplete', 'failed', 'timed_out', 'terminated']);

/** A longer cell, such as a name of 253 characters, moves only its own row. */
const widestAligned = 100;

function tableLines(header: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const lines = [header, ...rows].map((row) => row.map(printable));
  const widths = header.map((_, column) =>
    lines
      .map((row) => (row[column] ?? '').length)
      .filter((length) => length <= widestAligned)
      .reduce((width, length) => Math.max(width, length), 0),
  );
  return lines.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

/** Prints text of one or more lines on standard output, made safe for terminals. */
export function print(text: string): void {
  write(printableLines(text));
}

/** Prints the content of a file on standard output, byte for byte. */
export function printFile(content: string): void {
  process.stdout.write(content);
}

/** Prints a command's result as JSON, with the schema docs/schemas/NAME.json; times in UTC. */
export function printOutput<Name extends OutputName>(_name: Name, answer: CommandOutput<Name>): void {
  printJson(answer);
}

/** Prints JSON whose shape may be that of another version: a job's result as stored in Temporal. */
export function printJson(value: unknown): void {
  write(printableJson(value));
}

/** Prints a note on standard error, so that standard output can be piped. */
export function note(text: string): void {
  process.stderr.write(`flow-trail: ${printableLines(text)}\n`);
}

/** To the second, in the reader's time zone, with the zone's name. JSON uses UTC. */
export function formatTime(time: Date): string {
  return wallClockText(time, displayTimeZone());
}

/** https://no-color.org */
function isColoured(): boolean {
  return process.stdout.isTTY && !process.env['NO_COLOR'] && process.env['TERM'] !== 'dumb';
}

function bold(text: string): string {
  return `\u001B[1m${text}\u001B[22m`;
}

function red(text: string): string {
  return `\u001B[31m${text}\u001B[39m`;
}

function write(text: string): void {
  process.stdout.write(`${text}\n`);
}
