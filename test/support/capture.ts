import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { z } from 'zod';

const folder = new URL('../fixtures/captures/', import.meta.url);

/** The raw FlowResults that a real server sent, in their original order. */
export function readCapture(): Buffer[] {
  const bytes = gunzipSync(readFileSync(new URL('homelab.flowresults.gz', folder)));
  const records: Buffer[] = [];
  let at = 0;
  while (at < bytes.length) {
    let length = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes.readUInt8(at);
      at += 1;
      length |= (byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    records.push(bytes.subarray(at, at + length));
    at += length;
  }
  return records;
}

const edgeRow = z.object({
  src_ns: z.string(),
  dst_ns: z.string(),
  action: z.string(),
  first_seen: z.number(),
  last_seen: z.number(),
  flow_count: z.number(),
});
export type EdgeRow = z.infer<typeof edgeRow>;

/** The expected rows of the capture, ordered by key. */
export function readCaptureEdges(): EdgeRow[] {
  return sortEdges(
    readFileSync(new URL('homelab.edges.jsonl', folder), 'utf8')
      .trim()
      .split('\n')
      .map((line) => edgeRow.parse(JSON.parse(line))),
  );
}

export function sortEdges(rows: readonly EdgeRow[]): EdgeRow[] {
  const text = ({ src_ns, dst_ns, action }: EdgeRow) => `${src_ns}\n${dst_ns}\n${action}`;
  return rows.toSorted((a, b) => (text(a) < text(b) ? -1 : 1));
}

/** Encodes FlowResults as one FlowListResult, as `List` returns it. */
export function encodeListAnswer(results: readonly Buffer[], totalResults = results.length): Buffer {
  const meta = Buffer.from([0x10, ...varint(totalResults)]);
  const parts: Uint8Array[] = [Buffer.from([0x0a, ...varint(meta.length)]), meta];
  for (const result of results) parts.push(Buffer.from([0x12, ...varint(result.length)]), result);
  return Buffer.concat(parts);
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 0x7f) {
    bytes.push((rest & 0x7f) | 0x80);
    rest = Math.floor(rest / 128);
  }
  return [...bytes, rest];
}
