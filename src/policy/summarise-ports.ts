import type { IncidentRow } from './incident.ts';
import { compareText, groupBy } from '../text/order.ts';

/** More ports of one peer than this are one line: a port scan would hide all other peers. */
const mostLines = 8;
const manyPorts = ', many ports';

/**
 * Replaces rows that differ only in their port by one row, if there are more than eight. The row is where the first one was;
 * its count is their sum, its hours are those of all. Pure.
 */
export function summarisePorts(rows: readonly IncidentRow[]): IncidentRow[] {
  const groups = groupBy(rows, keyOf);
  const isShown = new Set<string>();
  return rows.flatMap((row) => {
    const key = keyOf(row);
    const group = groups.get(key) ?? [];
    if (group.length <= mostLines) return [row];
    if (isShown.has(key)) return [];
    isShown.add(key);
    return [oneRow(row, group)];
  });
}

/** Whether the row stands for several ports. */
export function isSummarised({ port }: IncidentRow): boolean {
  return /, (more than )?\d+ ports$/.test(port);
}

function oneRow(first: IncidentRow, group: readonly IncidentRow[]): IncidentRow {
  const listed = group.filter(({ port }) => !port.endsWith(manyPorts)).length;
  return {
    ...first,
    port: `${protocolOf(first)}, ${listed < group.length ? 'more than ' : ''}${listed} ports`,
    hours: [...new Set(group.flatMap(({ hours }) => hours))].toSorted(compareText),
    firstEver: group.map(({ firstEver }) => firstEver).toSorted(compareText)[0] ?? first.firstEver,
    flowsOnTheseDays: group.reduce((sum, { flowsOnTheseDays }) => sum + flowsOnTheseDays, 0),
  };
}

function keyOf(row: IncidentRow): string {
  const { unusual, direction, peer, identity, action, reporter, policies } = row;
  return JSON.stringify([unusual, direction, peer, identity, action, reporter, policies, protocolOf(row)]);
}

/** Of a port's text: `tcp 443`, `tcp, many ports` or `icmp`. */
function protocolOf({ port }: IncidentRow): string {
  return port.split(/[ ,]/)[0] ?? port;
}
