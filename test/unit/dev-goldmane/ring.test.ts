import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { completeFlow, type Flow } from '../../../dev/goldmane/flow.ts';
import { identify } from '../../../dev/goldmane/flow-keys.ts';
import { BucketRing } from '../../../dev/goldmane/ring.ts';

const BUCKET = 15;
const START = 1_700_000_010 - (1_700_000_010 % BUCKET);

function newRing(buckets: number): BucketRing {
  return new BucketRing({ fillingSeconds: START, ahead: 1, buckets, bucketSeconds: BUCKET, version: '3.30' });
}

function add(ring: BucketRing, flow: Flow): boolean {
  return ring.add(identify(completeFlow(flow)));
}

const ascending = (a: number, b: number): number => a - b;

type Step = { kind: 'add'; offsetSeconds: number; name: number; packets: number } | { kind: 'advance' };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('add' as const),
      offsetSeconds: fc.integer({ min: -12 * BUCKET, max: 4 * BUCKET }),
      name: fc.nat(4),
      packets: fc.nat(9),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('advance' as const) }) },
);

describe('The ring', () => {
  it('lists exactly the flows added to each bucket, summed by key, in any order of arrival', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const ring = newRing(8);
        const model = new Map<number, Map<number, number>>();
        let newest = START + BUCKET;
        for (const one of steps) {
          if (one.kind === 'advance') {
            ring.advance();
            newest += BUCKET;
            model.delete(newest - 8 * BUCKET);
            continue;
          }
          const startSeconds = newest + one.offsetSeconds;
          const bucket = startSeconds - (((startSeconds % BUCKET) + BUCKET) % BUCKET);
          const inRing = bucket <= newest && bucket > newest - 8 * BUCKET;
          const flow = { startSeconds, srcName: `${one.name}`, packetsIn: one.packets };
          expect(add(ring, flow)).toBe(inRing);
          if (!inRing) continue;
          const keys = model.get(bucket) ?? new Map<number, number>();
          model.set(bucket, keys.set(one.name, (keys.get(one.name) ?? 0) + one.packets));
        }
        for (let bucket = newest - 10 * BUCKET; bucket <= newest + BUCKET; bucket += BUCKET) {
          const listed = ring.list(bucket, bucket + BUCKET);
          const expected = [...(model.get(bucket)?.values() ?? [])].toSorted(ascending);
          expect(listed.map(({ window }) => window.packetsIn).toSorted(ascending)).toEqual(expected);
          expect(listed.every((record) => record.startSeconds === bucket)).toBe(true);
        }
        const alive = new Set([...model.values()].flatMap((keys) => [...keys.keys()]));
        expect(ring.keys).toBe(alive.size);
      }),
    );
  });

  it('sends each bucket once, in order, when it is two buckets older than the newest', () => {
    const ring = newRing(8);
    const sent: number[] = [];
    for (let turn = 0; turn < 20; turn++) {
      sent.push(ring.streamingBucket.startSeconds);
      ring.advance();
    }
    expect(sent).toEqual(Array.from({ length: 20 }, (_, index) => START - BUCKET + index * BUCKET));
  });

  it('does not change a record that is being sent', () => {
    const ring = newRing(8);
    add(ring, { startSeconds: START, packetsIn: 1 });
    const [before] = ring.list(START, START + BUCKET);
    add(ring, { startSeconds: START, packetsIn: 1 });
    expect(before?.window.packetsIn).toBe(1);
  });
});
