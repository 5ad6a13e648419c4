import { describe, expect, test } from 'vitest';
import { parseDocument } from 'yaml';
import { edgeMatrix } from '../../../src/reports/edge-matrix.ts';
import { exportEdges, exportFormats } from '../../../src/reports/edge-export.ts';
import type { EdgeRow } from '../../../src/trail/edges/query-edges.ts';

function edge(srcNs: string, dstNs: string, action = 'allow'): EdgeRow {
  const time = new Date('2026-01-31T08:00:00Z');
  return { srcNs, dstNs, action, firstSeen: time, lastSeen: time, flowCount: '7' };
}
const edges = [edge('immich', 'dbaas'), edge('immich', 'redis', 'deny')];
const hostile = [edge('=cmd"\\\n<b>&\u001B[2J\u202E', '"] --> x["', 'deny')];

describe('an export', () => {
  test('as CSV has the columns of the table edge', () => {
    expect(exportEdges(edges, 'csv').split('\r\n')).toEqual([
      'src_ns,dst_ns,action,first_seen,last_seen,flow_count',
      'immich,dbaas,allow,2026-01-31T08:00:00.000Z,2026-01-31T08:00:00.000Z,7',
      'immich,redis,deny,2026-01-31T08:00:00.000Z,2026-01-31T08:00:00.000Z,7',
      '',
    ]);
  });

  test('as JSON lines has one edge per line, with the content of JSON', () => {
    const lines = exportEdges(edges, 'jsonl').trimEnd().split('\n');
    expect(JSON.parse(`[${lines.join(',')}]`)).toEqual(JSON.parse(exportEdges(edges, 'json')));
  });

  test('as DOT, Mermaid and GraphML contains every edge', () => {
    expect(exportEdges(edges, 'dot')).toContain('"immich" -> "redis" [label="deny"');
    expect(exportEdges(edges, 'mermaid')).toContain('n1 -. "deny" .-> n2');
    expect(exportEdges(edges, 'graphml').match(/<edge /g)).toHaveLength(2);
  });

  test.each(exportFormats)('as %s escapes a hostile name', (format) => {
    const text = exportEdges(hostile, format);
    expect(text).not.toMatch(/(?![\r\n])\p{Cc}/u);
    if (format === 'graphml') expect(text).not.toContain('<b>');
    if (format === 'mermaid') expect(text.match(/-->/g)).toBeNull();
    if (format === 'dot') expect(text.trimEnd().split('\n')).toHaveLength(4);
    if (format === 'csv') expect(text).toContain(`"'=cmd`);
    if (format === 'json') expect(parseDocument(text).errors).toEqual([]);
  });
});

test('the matrix lists the destinations of each source, by action', () => {
  expect(edgeMatrix([...edges, edge('a', 'b', 'pass'), edge('immich', 'authentik')])).toEqual([
    { srcNs: 'a', allowed: [], denied: [], other: ['b'] },
    { srcNs: 'immich', allowed: ['authentik', 'dbaas'], denied: ['redis'], other: [] },
  ]);
});
