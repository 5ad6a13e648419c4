import { expect, test } from 'vitest';
import { stagedVerdicts } from '../../../../src/policy/derive/staged.ts';
import type { TracedEvidence } from '../../../../src/trail/evidence.ts';

const profile = { k: 'Profile', n: 'kns.immich', a: 'allow', r: 0 };
const stagedDeny = {
  k: 'EndOfTier',
  t: 'default',
  a: 'deny',
  by: { k: 'StagedNetworkPolicy', ns: 'immich', n: 'egress', t: 'default' },
};
const stagedAllow = { k: 'StagedNetworkPolicy', ns: 'immich', n: 'egress', t: 'default', a: 'allow', r: 2 };
const pass = { k: 'NetworkPolicy', ns: 'immich', n: 'first', t: 'first', a: 'pass', r: 0 };

function traced(trace: unknown, change: Partial<TracedEvidence> = {}): TracedEvidence {
  return {
    src: { kind: 'workload', ns: 'immich', identity: '' },
    dst: { kind: 'workload', ns: 'dbaas', identity: 'postgresql' },
    protocol: 'tcp',
    port: 5432,
    reporter: 'src',
    action: 'allow',
    firstSeconds: 1_000,
    lastSeconds: 2_000,
    flowCount: 10,
    days: 1,
    trace,
    ...change,
  };
}

test('a staged policy that would deny what is allowed is named, with how often and since when', () => {
  expect(stagedVerdicts([traced({ enforced: [profile], pending: [stagedDeny] })])).toEqual({
    disagreements: [
      {
        src: 'immich',
        dst: 'dbaas/postgresql',
        port: 'tcp 5432',
        reporter: 'src',
        enforced: 'allow',
        pending: 'deny',
        by: 'end of tier default, reached because StagedNetworkPolicy immich/egress, tier default selects it and no rule matched',
        firstSeconds: 1_000,
        lastSeconds: 2_000,
        flowCount: 10,
      },
    ],
    agreeing: 0,
    untold: 0,
  });
});

test('days of the same disagreement are one, from the first to the last', () => {
  const { disagreements } = stagedVerdicts([
    traced({ enforced: [profile], pending: [stagedDeny] }, { firstSeconds: 90_000, lastSeconds: 91_000 }),
    traced({ enforced: [profile], pending: [stagedDeny] }),
  ]);
  expect(disagreements).toMatchObject([{ firstSeconds: 1_000, lastSeconds: 91_000, flowCount: 20 }]);
});

test('what staged policies would do as well is agreement, passing tiers aside', () => {
  expect(
    stagedVerdicts([traced({ enforced: [profile], pending: [pass, stagedAllow] }, { flowCount: 7 })]),
  ).toEqual({ disagreements: [], agreeing: 7, untold: 0 });
});

test.each([
  ['too many traces of one fact', { other: true }],
  ['a trace that could not be read', { unreadable: true }],
  ['a trace without a decision', { enforced: [pass], pending: [stagedDeny] }],
  ['two decisions in one trace', { enforced: [profile, stagedDeny], pending: [stagedDeny] }],
  ['no staged hits', { enforced: [profile] }],
  ['something else', 'garbage'],
])('%s is counted as not told, never as agreement', (_what, trace) => {
  expect(stagedVerdicts([traced(trace)])).toEqual({ disagreements: [], agreeing: 0, untold: 10 });
});

test('what would be denied comes first, whatever the order of the evidence', () => {
  const denied = { k: 'NetworkPolicy', ns: 'aaa', n: 'deny', t: 'default', a: 'deny', r: 0 };
  const newly = traced(
    { enforced: [denied], pending: [stagedAllow] },
    { src: { kind: 'workload', ns: 'aaa', identity: '' }, action: 'deny' },
  );
  const would = traced({ enforced: [profile], pending: [stagedDeny] });
  const order = [would, newly].map((_, index, both) =>
    stagedVerdicts(index === 0 ? both : both.toReversed()).disagreements.map(({ pending }) => pending),
  );
  expect(order).toEqual([
    ['deny', 'allow'],
    ['deny', 'allow'],
  ]);
});
