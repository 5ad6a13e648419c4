import { expect, test } from 'vitest';
import { diffEdges } from '../../../src/reports/edge-diff.ts';
import type { EdgeActivity } from '../../../src/trail/edges/edge-activity.ts';

const [from, to] = [new Date('2026-01-10T00:00:00Z'), new Date('2026-01-20T00:00:00Z')];
const old = new Date('2026-01-01T00:00:00Z');
const within = new Date('2026-01-15T00:00:00Z');

const seconds = (time: Date) => time.getTime() / 1000;

function edge(pair: string, action: string, firstSeen: Date, seenBeforeTo = true): EdgeActivity {
  const [srcNs = '', dstNs = ''] = pair.split(' ');
  return {
    srcNs,
    dstNs,
    action,
    firstSeen,
    lastSeen: firstSeen,
    flowCount: '1',
    seenBeforeFrom: firstSeen < from,
    seenBeforeTo,
  };
}
const diff = (edges: EdgeActivity[]) => {
  const { appeared, fellSilent, allowedToDenied, deniedToAllowed } = diffEdges(edges, {
    from,
    to,
    silentDays: 7,
    coverage: [],
  });
  const pairs = (rows: { srcNs: string; dstNs: string; action: string }[]) =>
    rows.map(({ srcNs, dstNs, action }) => `${srcNs} ${dstNs} ${action}`);
  return [appeared, fellSilent, allowedToDenied, deniedToAllowed].map(pairs);
};

test('an edge first seen between the two times appeared', () => {
  expect(diff([edge('a b', 'allow', within), edge('a c', 'allow', old)])).toEqual([
    ['a b allow'],
    [],
    [],
    [],
  ]);
});

test('an edge with traffic before the first time and none before the second fell silent', () => {
  expect(diff([edge('a b', 'allow', old, false)])).toEqual([[], ['a b allow'], [], []]);
});

test('a new denial of an allowed pair is a change, and the reverse', () => {
  expect(
    diff([
      edge('a b', 'allow', old),
      edge('a b', 'deny', within),
      edge('c d', 'deny', old),
      edge('c d', 'allow', within),
      edge('e f', 'deny', within),
    ]).slice(2),
  ).toEqual([['a b deny'], ['c d allow']]);
});

test('time that was not fully observed is listed, with causes', () => {
  const { notCovered } = diffEdges([], {
    from,
    to,
    silentDays: 7,
    coverage: [
      { fromSeconds: seconds(from), toSeconds: seconds(within), state: 'final' },
      {
        fromSeconds: seconds(within),
        toSeconds: seconds(within) + 15,
        state: 'gap',
        cause: 'Goldmane restarted',
      },
    ],
  });
  const gapEnd = new Date(within.getTime() + 15_000).toISOString();
  expect(notCovered).toEqual([
    { from: within.toISOString(), to: gapEnd, state: 'gap', cause: 'Goldmane restarted' },
    { from: gapEnd, to: to.toISOString(), state: 'unknown', cause: 'no coverage recorded for this time' },
  ]);
});
