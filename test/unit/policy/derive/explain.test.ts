import { expect, test } from 'vitest';
import { explainPair } from '../../../../src/policy/derive/explain.ts';
import type { FlowEvidence, TracedEvidence } from '../../../../src/trail/evidence.ts';

const allowed: FlowEvidence = {
  src: { kind: 'workload', ns: 'immich', identity: '' },
  dst: { kind: 'workload', ns: 'dbaas', identity: 'postgresql' },
  protocol: 'tcp',
  port: 5432,
  reporter: 'src',
  action: 'allow',
  firstSeconds: 1_000,
  lastSeconds: 90_000,
  flowCount: 30,
  days: [0, 1],
};
const arrived: FlowEvidence = { ...allowed, reporter: 'dst' };
const refused: FlowEvidence = { ...allowed, reporter: 'dst', action: 'deny' };

function traceOf(
  fact: FlowEvidence,
  trace: unknown,
  flowCount: number,
  lastSeconds = 90_000,
): TracedEvidence {
  return { ...fact, days: 1, trace, flowCount, lastSeconds };
}

const rule = (n: string) => ({ k: 'NetworkPolicy', ns: 'immich', n, t: 'default', a: 'allow', r: 1 });

test('a fact is told with its ends, port, reporter, days and the policies that decided, the most frequent first', () => {
  const [fact] = explainPair(
    [allowed],
    [
      traceOf(allowed, { enforced: [rule('old')] }, 5, 2_000),
      traceOf(allowed, { enforced: [rule('new')] }, 15),
      traceOf(allowed, { enforced: [rule('new')], pending: [rule('new')] }, 10, 80_000),
    ],
  );
  expect(fact).toEqual({
    src: 'immich',
    dst: 'dbaas/postgresql',
    port: 'tcp 5432',
    reporter: 'src',
    action: 'allow',
    firstSeconds: 1_000,
    lastSeconds: 90_000,
    days: 2,
    flowCount: 30,
    decidedBy: [
      { policy: 'NetworkPolicy immich/new, tier default, rule 1', flowCount: 25, lastSeconds: 90_000 },
      { policy: 'NetworkPolicy immich/old, tier default, rule 1', flowCount: 5, lastSeconds: 2_000 },
    ],
  });
});

test('what the source was allowed and the destination denied is told as blocked', () => {
  const [atSource, atDestination] = explainPair([refused, allowed], []);
  expect(atSource).toMatchObject({ reporter: 'src', note: 'blocked at the destination' });
  expect(atDestination).not.toHaveProperty('note');
});

test('what the destination both let in and denied is told as that', () => {
  const [atSource] = explainPair([arrived, refused, allowed], []);
  expect(atSource).toMatchObject({ note: 'the destination both let it in and denied it' });
});

test('what arrived carries no note', () => {
  for (const fact of explainPair([allowed, arrived], [])) expect(fact).not.toHaveProperty('note');
});

test('where traces do not tell which policy decided, that is said', () => {
  const [fact] = explainPair(
    [allowed],
    [
      traceOf(allowed, { other: true }, 3),
      traceOf(allowed, { enforced: [] }, 2),
      traceOf(allowed, { enforced: [rule('a'), rule('b')] }, 1),
    ],
  );
  expect(fact?.decidedBy.map(({ policy }) => policy)).toEqual([
    'not told: more traces than are kept of one fact',
    'not told',
    'not told by the hits that were kept',
  ]);
});
