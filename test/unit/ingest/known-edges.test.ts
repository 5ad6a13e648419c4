import { describe, expect, test } from 'vitest';
import { KnownEdges } from '../../../src/ingest/known-edges.ts';
import type { EdgeKey } from '../../../src/trail/edge-key.ts';

function edgeTo(dstNs: string): EdgeKey {
  return { srcNs: 'scanner', dstNs, action: 'deny' };
}

function numberKnown(known: KnownEdges, count: number): number {
  return Array.from({ length: count }, (_, index) => edgeTo(`n${index}`)).filter((edge) => known.has(edge))
    .length;
}

describe('known edges', () => {
  test('differ by source, destination and action', () => {
    const known = new KnownEdges(10);
    known.add(edgeTo('vault'));
    expect(known.has(edgeTo('vault'))).toBe(true);
    expect(known.has({ ...edgeTo('vault'), action: 'allow' })).toBe(false);
    expect(known.has(edgeTo('cache'))).toBe(false);
  });

  test('never exceed the limit, and include the latest', () => {
    const known = new KnownEdges(100);
    for (let index = 0; index < 1_000; index += 1) {
      known.add(edgeTo(`n${index}`));
      known.add(edgeTo(`n${index}`));
      expect(known.has(edgeTo(`n${index}`))).toBe(true);
    }
    expect(numberKnown(known, 1_000)).toBe(100);
  });
});
