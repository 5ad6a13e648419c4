import { csvLine } from '../text/csv.ts';
import { printable, printableJson } from '../text/printable.ts';
import type { EdgeRow } from '../trail/edges/query-edges.ts';

export const exportFormats = ['json', 'jsonl', 'csv', 'dot', 'mermaid', 'graphml'] as const;
export type ExportFormat = (typeof exportFormats)[number];

/** Formats edges as a file. Times are ISO 8601 in UTC, and names are escaped in every format. Pure. */
export function exportEdges(edges: readonly EdgeRow[], format: ExportFormat): string {
  switch (format) {
    case 'json':
      return `${printableJson(edges)}\n`;
    case 'jsonl':
      return edges.map((edge) => `${printableJson(edge, 0)}\n`).join('');
    case 'csv':
      return [
        csvLine(['src_ns', 'dst_ns', 'action', 'first_seen', 'last_seen', 'flow_count']),
        ...edges.map(({ srcNs, dstNs, action, firstSeen, lastSeen, flowCount }) =>
          csvLine([srcNs, dstNs, action, firstSeen.toISOString(), lastSeen.toISOString(), flowCount]),
        ),
      ].join('');
    case 'dot':
      return dot(edges);
    case 'mermaid':
      return mermaid(edges);
    case 'graphml':
      return graphml(edges);
  }
}

/** DOT language: https://graphviz.org/doc/info/lang.html */
function dot(edges: readonly EdgeRow[]): string {
  const quoted = (text: string) => `"${printable(text).replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
  return [
    'digraph edges {',
    '  rankdir=LR;',
    ...edges.map(
      ({ srcNs, dstNs, action, flowCount }) =>
        `  ${quoted(srcNs)} -> ${quoted(dstNs)} [label=${quoted(action)}, weight=1, tooltip=${quoted(`${flowCount} flows`)}${action === 'deny' ? ', color=red, style=dashed' : ''}];`,
    ),
    '}',
    '',
  ].join('\n');
}

/** Mermaid flowchart: names are labels of numbered nodes, with entity codes for special characters. */
function mermaid(edges: readonly EdgeRow[]): string {
  const numbers = numberNodes(edges);
  const label = (text: string) =>
    printable(text).replace(/[^A-Za-z0-9 ._-]/gu, (character) => `#${character.codePointAt(0) ?? 63};`);
  return [
    'flowchart LR',
    ...[...numbers].map(([name, number]) => `  n${number}["${label(name)}"]`),
    ...edges.map(({ srcNs, dstNs, action }) => {
      const [from, to] = [numbers.get(srcNs) ?? 0, numbers.get(dstNs) ?? 0];
      return action === 'allow' ? `  n${from} --> n${to}` : `  n${from} -. "${label(action)}" .-> n${to}`;
    }),
    '',
  ].join('\n');
}

/** GraphML 1.0: http://graphml.graphdrawing.org/specification.html */
function graphml(edges: readonly EdgeRow[]): string {
  const numbers = numberNodes(edges);
  const keys = ['action', 'firstSeen', 'lastSeen', 'flowCount'] as const;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<graphml xmlns="http://graphml.graphdrawing.org/xmlns">',
    '  <key id="name" for="node" attr.name="name" attr.type="string"/>',
    ...keys.map(
      (key) =>
        `  <key id="${key}" for="edge" attr.name="${key}" attr.type="${key === 'flowCount' ? 'long' : 'string'}"/>`,
    ),
    '  <graph id="edges" edgedefault="directed">',
    ...[...numbers].map(
      ([name, number]) => `    <node id="n${number}"><data key="name">${xml(name)}</data></node>`,
    ),
    ...edges.map(({ srcNs, dstNs, firstSeen, lastSeen, ...rest }) => {
      const values = { ...rest, firstSeen: firstSeen.toISOString(), lastSeen: lastSeen.toISOString() };
      const data = keys.map((key) => `<data key="${key}">${xml(values[key])}</data>`).join('');
      return `    <edge source="n${numbers.get(srcNs) ?? 0}" target="n${numbers.get(dstNs) ?? 0}">${data}</edge>`;
    }),
    '  </graph>',
    '</graphml>',
    '',
  ].join('\n');
}

function xml(text: string): string {
  return printable(text)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

function numberNodes(edges: readonly EdgeRow[]): Map<string, number> {
  const names = new Set(edges.flatMap(({ srcNs, dstNs }) => [srcNs, dstNs]));
  return new Map([...names].toSorted().map((name, index) => [name, index]));
}
