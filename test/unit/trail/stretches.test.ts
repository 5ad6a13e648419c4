import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { CoverageState } from '../../../src/trail/coverage-ranges/coverage.ts';
import { joinStretches } from '../../../src/trail/coverage-ranges/stretches.ts';

const from = 1_800_000_000;
const bucket = (n: number, state: CoverageState, cause?: string) => ({
  startSeconds: from + n * 15,
  state,
  ...(cause === undefined ? {} : { cause }),
});
const missing = { state: 'gap', cause: 'away' } as const;

function joined(buckets: ReturnType<typeof bucket>[], count: number) {
  return joinStretches(buckets, from, from + count * 15, missing).map(
    ({ fromSeconds, toSeconds, state, cause }) =>
      [
        (fromSeconds - from) / 15,
        (toSeconds - from) / 15,
        state,
        ...(cause === undefined ? [] : [cause]),
      ].join(' '),
  );
}

describe('stretches', () => {
  test('join adjacent buckets of one state', () => {
    expect(joined([bucket(0, 'final'), bucket(1, 'final'), bucket(2, 'settled')], 3)).toEqual([
      '0 2 final',
      '2 3 settled',
    ]);
  });

  test('of gaps with different causes are separate', () => {
    expect(
      joined([bucket(0, 'gap', 'x'), bucket(1, 'gap', 'x'), bucket(2, 'gap', 'y'), bucket(3, 'gap')], 4),
    ).toEqual(['0 2 gap x', '2 3 gap y', '3 4 gap']);
  });

  test('have a cause only if they are gaps', () => {
    expect(joined([bucket(0, 'final', 'x'), bucket(1, 'final')], 2)).toEqual(['0 2 final']);
  });

  test('have the state of `missing` before, between and after buckets', () => {
    expect(joined([bucket(1, 'final'), bucket(3, 'final')], 5)).toEqual([
      '0 1 gap away',
      '1 2 final',
      '2 3 gap away',
      '3 4 final',
      '4 5 gap away',
    ]);
    expect(joined([], 2)).toEqual(['0 2 gap away']);
    expect(joined([bucket(0, 'gap', 'away')], 2)).toEqual(['0 2 gap away']);
  });

  test('are limited to the period, and cut at its bounds', () => {
    const buckets = [
      bucket(-2, 'final'),
      bucket(-1, 'final'),
      bucket(0, 'settled'),
      bucket(1, 'final'),
      bucket(2, 'final'),
    ];
    expect(joinStretches(buckets, from + 5, from + 20, missing)).toEqual([
      { fromSeconds: from + 5, toSeconds: from + 15, state: 'settled' },
      { fromSeconds: from + 15, toSeconds: from + 20, state: 'final' },
    ]);
  });

  test('of an empty period are empty', () => {
    expect(joined([bucket(0, 'final')], 0)).toEqual([]);
    expect(joinStretches([bucket(0, 'final')], from + 15, from, missing)).toEqual([]);
  });

  test('cover the whole period without overlaps, and adjacent ones differ', () => {
    const states = fc.constantFrom<CoverageState>('final', 'settled', 'streamed', 'gap', 'pending');
    const buckets = fc
      .uniqueArray(fc.record({ n: fc.integer({ min: -3, max: 20 }), state: states }), {
        selector: ({ n }) => n,
      })
      .map((list) => list.toSorted((a, b) => a.n - b.n).map(({ n, state }) => bucket(n, state)));
    fc.assert(
      fc.property(
        buckets,
        fc.integer({ min: -20, max: 100 }),
        fc.integer({ min: 1, max: 300 }),
        (list, offset, length) => {
          const stretches = joinStretches(list, from + offset, from + offset + length, missing);
          expect(stretches[0]?.fromSeconds).toBe(from + offset);
          expect(stretches.at(-1)?.toSeconds).toBe(from + offset + length);
          stretches.slice(1).forEach((stretch, index) => {
            const former = stretches[index];
            expect(stretch.fromSeconds).toBe(former?.toSeconds);
            expect([stretch.state, stretch.cause]).not.toEqual([former?.state, former?.cause]);
          });
          for (const { startSeconds, state } of list) {
            const at = stretches.find(
              ({ fromSeconds, toSeconds }) => fromSeconds <= startSeconds && startSeconds < toSeconds,
            );
            if (at) expect(at.state).toBe(state);
          }
        },
      ),
    );
  });
});
