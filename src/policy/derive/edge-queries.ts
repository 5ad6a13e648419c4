import { csvLine } from '../../text/csv.ts';
import { compareText } from '../../text/order.ts';

/** The columns of `edge` that the runbook's queries read. */
export interface AllowlistEdge {
  readonly srcNs: string;
  readonly dstNs: string;
  readonly action: string;
}

export type TableFormat = 'text' | 'json' | 'csv';

/** `allowlist`: DISTINCT dst_ns of one namespace; `matrix`: array_agg for all; `denied`: the sanity check. */
type EdgeQuery =
  | { readonly name: 'allowlist'; readonly namespace: string }
  | { readonly name: 'matrix' }
  | { readonly name: 'denied' };

interface Table {
  columns: readonly string[];
  rows: readonly (readonly (string | readonly string[])[])[];
}

/** The result of one of the runbook's three queries for egress allowlists, with the same columns and order. Pure. */
export function answerEdgeQuery(
  edges: readonly AllowlistEdge[],
  query: EdgeQuery,
  format: TableFormat,
): string {
  const table = tableOf(edges, query);
  switch (format) {
    case 'json':
      return `${JSON.stringify(
        table.rows.map((row) => Object.fromEntries(table.columns.map((column, at) => [column, row[at]]))),
        null,
        2,
      )}\n`;
    case 'csv':
      return [table.columns, ...table.rows].map((row) => csvLine(row.map(cellText))).join('');
    case 'text':
      return textTable(table);
  }
}

function tableOf(edges: readonly AllowlistEdge[], query: EdgeQuery): Table {
  switch (query.name) {
    case 'allowlist':
      return {
        columns: ['dst_ns'],
        rows: destinations(edges, query.namespace).map((dstNs) => [dstNs]),
      };
    case 'matrix': {
      const sources = distinct(edges.filter(isAllowed).map(({ srcNs }) => srcNs));
      return {
        columns: ['src_ns', 'allowed_dst_ns'],
        rows: sources.map((srcNs) => [srcNs, destinations(edges, srcNs)]),
      };
    }
    case 'denied': {
      const pairs = edges
        .filter(({ action }) => action === 'deny')
        .map(({ srcNs, dstNs }) => `${srcNs}\n${dstNs}`);
      return { columns: ['src_ns', 'dst_ns'], rows: distinct(pairs).map((pair) => pair.split('\n')) };
    }
  }
}

function isAllowed({ action }: AllowlistEdge): boolean {
  return action === 'allow';
}

function destinations(edges: readonly AllowlistEdge[], namespace: string): string[] {
  return distinct(
    edges.filter((edge) => isAllowed(edge) && edge.srcNs === namespace).map(({ dstNs }) => dstNs),
  );
}

function distinct(texts: readonly string[]): string[] {
  return [...new Set(texts)].toSorted(compareText);
}

/** Formats a list as Postgres formats an array. */
function cellText(cell: string | readonly string[]): string {
  return typeof cell === 'string' ? cell : `{${cell.join(',')}}`;
}

function textTable({ columns, rows }: Table): string {
  const lines = [columns, ...rows.map((row) => row.map(cellText))];
  const widths = columns.map((_, column) => Math.max(...lines.map((line) => (line[column] ?? '').length)));
  return lines
    .map(
      (line) =>
        `${line
          .map((cell, column) => cell.padEnd(widths[column] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}
