import { describe, expect, test } from 'vitest';
import { describeEnd } from '../../../../src/policy/derive/describe-ends.ts';
import { endMatcher, explainPair } from '../../../../src/policy/derive/explain.ts';
import type { FlowEvidence, TracedEvidence } from '../../../../src/trail/facts/evidence.ts';

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

test('a fact has ends, port, reporter, days and deciding policies, most frequent first', () => {
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

test('marks a flow that the source allowed and the destination denied as blocked', () => {
  const [atSource, atDestination] = explainPair([refused, allowed], []);
  expect(atSource).toMatchObject({ reporter: 'src', note: 'blocked at the destination' });
  expect(atDestination).not.toHaveProperty('note');
});

test('marks a flow that the destination both allowed and denied', () => {
  const [atSource] = explainPair([arrived, refused, allowed], []);
  expect(atSource).toMatchObject({ note: 'both allowed and denied at the destination' });
});

test('a flow that both ends allowed has no note', () => {
  for (const fact of explainPair([allowed, arrived], [])) expect(fact).not.toHaveProperty('note');
});

test('states if the traces do not show the deciding policy', () => {
  const [fact] = explainPair(
    [allowed],
    [
      traceOf(allowed, { other: true }, 3),
      traceOf(allowed, { enforced: [] }, 2),
      traceOf(allowed, { enforced: [rule('a'), rule('b')] }, 1),
    ],
  );
  expect(fact?.decidedBy.map(({ policy }) => policy)).toEqual([
    'unknown: the trace was not stored (limit per fact)',
    'unknown: no policy hits',
    'unknown: the stored hits give no single verdict',
  ]);
});

test('marks a verdict that names a staged policy as not evidence', () => {
  const staged = { ...rule('next'), k: 'StagedNetworkPolicy', a: 'deny' };
  const [fact] = explainPair([refused], [traceOf(refused, { enforced: [staged] }, 3)]);
  expect(fact?.decidedBy[0]?.policy).toMatch(/StagedNetworkPolicy immich\/next.*calico#13410/);
});

describe('an end is matched', () => {
  const ends: FlowEvidence['src'][] = [
    { kind: 'workload', ns: 'immich', identity: '' },
    { kind: 'workload', ns: 'dbaas', identity: 'postgresql' },
    { kind: 'workload', ns: '', identity: '' },
    { kind: 'network', ns: '', identity: 'pub' },
    { kind: 'network', ns: '', identity: 'pvt' },
    { kind: 'network', ns: '', identity: '' },
    { kind: 'networkset', ns: '', identity: 'cdn' },
    { kind: 'networkset', ns: 'shop', identity: 'partners' },
    { kind: 'host', ns: '', identity: '' },
    { kind: 'unspecified', ns: '', identity: '' },
    ...['pub', 'pvt', 'host', 'unspecified'].map((ns) => ({ kind: 'workload', ns, identity: '' }) as const),
    { kind: 'workload', ns: 'pub', identity: 'web' },
  ];

  test.each(ends)('by its printed form: %o', (end) => {
    const matches = endMatcher(describeEnd(end));
    const own = ends.filter((other) => describeEnd(end) === describeEnd(other));
    expect(own).toEqual([end]);
    const ofNamespace = (other: FlowEvidence['src']) =>
      end.identity === '' && end.ns !== '' && other.ns === end.ns;
    expect(ends.filter(matches)).toEqual(ends.filter((other) => other === end || ofNamespace(other)));
  });

  test('by its namespace, with any identity and including network sets', () => {
    expect(endMatcher('dbaas')({ kind: 'workload', ns: 'dbaas', identity: 'postgresql' })).toBe(true);
    expect(endMatcher('shop')({ kind: 'networkset', ns: 'shop', identity: 'partners' })).toBe(true);
    expect(endMatcher('')({ kind: 'host', ns: '', identity: '' })).toBe(false);
  });
});
