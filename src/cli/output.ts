import type { Answer, AnswerName } from './schemas/index.ts';
import { printable, printableJson, printableLines } from '../text/printable.ts';
import { wallClockText } from '../time/wall-clock.ts';
import { displayTimeZone } from './time-zone.ts';

/** Columns padded to their widest cell, two spaces apart, without trailing spaces. Cells are made printable. */
export function formatTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  return tableLines(header, rows).join('\n');
}

/** A table on standard output; in a terminal its header is bold and rows that deny or miss something are red. */
export function printTable(header: readonly string[], rows: readonly (readonly string[])[]): void {
  const [first = '', ...rest] = tableLines(header, rows);
  if (!isColoured()) return write([first, ...rest].join('\n'));
  const isAlarming = (row: readonly string[] | undefined) => row?.some((cell) => alarming.has(cell)) === true;
  write([bold(first), ...rest.map((line, index) => (isAlarming(rows[index]) ? red(line) : line))].join('\n'));
}

const alarming = new Set(['deny', 'gap', 'incomplete', 'failed', 'timed_out', 'terminated']);

function tableLines(header: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const lines = [header, ...rows].map((row) => row.map(printable));
  const widths = header.map((_, column) =>
    lines.reduce((width, row) => Math.max(width, (row[column] ?? '').length), 0),
  );
  return lines.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

/** Text of one or more lines on standard output. Whatever it contains, the terminal only shows it. */
export function print(text: string): void {
  write(printableLines(text));
}

/** The content of a file on standard output, byte for byte. */
export function printFile(content: string): void {
  process.stdout.write(content);
}

/** The answer of a command as JSON, in the shape of docs/schemas/NAME.json; times in UTC. */
export function printAnswer<Name extends AnswerName>(_name: Name, answer: Answer<Name>): void {
  printJson(answer);
}

/** JSON whose shape is not ours: a job's result as Temporal has it. */
export function printJson(value: unknown): void {
  write(printableJson(value));
}

/** Beside the answer, on standard error: it can be piped without this. */
export function note(text: string): void {
  process.stderr.write(`flow-trail: ${printableLines(text)}\n`);
}

/** To the second, in the reader's time zone and with its name. JSON has UTC. */
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
