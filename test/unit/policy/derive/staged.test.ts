import { describe, expect, test } from 'vitest';
import {
  isEvidenceForEnforcing,
  passedByOthers,
  stagedDays,
  stagedVerdicts,
} from '../../../../src/policy/derive/staged.ts';
import type { TracedEvidence } from '../../../../src/trail/facts/evidence.ts';

const profile = { k: 'Profile', n: 'kns.immich', a: 'allow', r: 0 };
const stagedDeny = {
  k: 'EndOfTier',
  t: 'default',
  a: 'deny',
  by: { k: 'StagedNetworkPolicy', ns: 'immich', n: 'egress', t: 'default' },
};
const stagedAllow = { k: 'StagedNetworkPolicy', ns: 'immich', n: 'egress', t: 'default', a: 'allow', r: 2 };
const pass = { k: 'NetworkPolicy', ns: 'immich', n: 'first', t: 'first', a: 'pass', r: 0 };

const catchAll = { k: 'GlobalNetworkPolicy', n: 'observe', t: 'default', a: 'allow', r: 1 };
const daySeconds = 86_400;
/** The first and last seconds of a fact that was seen for more than a week. */
const forAWeek = { firstSeconds: 1_000, lastSeconds: 1_000 + 7 * daySeconds };
const week = {
  coverage: [{ fromSeconds: 0, toSeconds: 9 * daySeconds, state: 'settled' as const }],
  minimumDays: 7,
};
const nothing = {
  decidedBetween: [],
  disagreements: [],
  decided: 0,
  agreeing: 0,
  decidedByOthers: [],
  withoutStaged: [],
  enforcedByStaged: [],
  unknown: 0,
  unknownBesideStaged: 0,
};

function egressFor(times: { firstSeconds: number; lastSeconds: number }) {
  return { namespace: 'immich', direction: 'egress', ...times };
}

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

test('names the staged policy that would deny an allowed flow, with count and times', () => {
  expect(stagedVerdicts([traced({ enforced: [profile], pending: [stagedDeny] })])).toEqual({
    ...nothing,
    decidedBetween: [egressFor({ firstSeconds: 1_000, lastSeconds: 2_000 })],
    decided: 10,
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
  });
});

test('merges the same disagreement on several days, with the first and last time', () => {
  const { disagreements } = stagedVerdicts([
    traced({ enforced: [profile], pending: [stagedDeny] }, { firstSeconds: 90_000, lastSeconds: 91_000 }),
    traced({ enforced: [profile], pending: [stagedDeny] }),
  ]);
  expect(disagreements).toMatchObject([{ firstSeconds: 1_000, lastSeconds: 91_000, flowCount: 20 }]);
});

test('counts a flow as agreeing if a staged policy makes the enforced decision, regardless of earlier pass actions', () => {
  const verdicts = stagedVerdicts([
    traced({ enforced: [profile], pending: [pass, stagedAllow] }, { flowCount: 7, ...forAWeek }),
  ]);
  expect(verdicts).toEqual({ ...nothing, decided: 7, agreeing: 7, decidedBetween: [egressFor(forAWeek)] });
  expect(isEvidenceForEnforcing(verdicts, week)).toBe(true);
});

test('counts a flow as decided by a staged policy if only that policy triggers the end of tier', () => {
  const verdicts = stagedVerdicts([
    traced({ enforced: [{ ...stagedDeny, by: undefined }], pending: [stagedDeny] }, { action: 'deny' }),
  ]);
  expect(verdicts).toMatchObject({ decided: 10, agreeing: 10, disagreements: [] });
});

test.each([
  ['too many traces of one fact', { other: true }],
  ['a trace that could not be read', { unreadable: true }],
  ['a trace without a decision', { enforced: [pass], pending: [stagedDeny] }],
  ['two decisions in one trace', { enforced: [profile, catchAll], pending: [stagedDeny] }],
  ['no pending hits', { enforced: [profile] }],
  ['something else', 'garbage'],
])('counts %s as unknown, not as agreeing', (_what, trace) => {
  expect(stagedVerdicts([traced(trace)])).toEqual({ ...nothing, unknown: 10 });
});

describe('there is no evidence that enforcing is safe', () => {
  test('without flows', () => {
    expect(isEvidenceForEnforcing(stagedVerdicts([]), week)).toBe(false);
  });

  test('if no staged policy decides; the deciding policies are listed', () => {
    const verdicts = stagedVerdicts([
      traced({ enforced: [catchAll], pending: [catchAll] }),
      traced({ enforced: [profile], pending: [profile] }, { reporter: 'dst', flowCount: 3 }),
    ]);
    expect(isEvidenceForEnforcing(verdicts, week)).toBe(false);
    expect(verdicts).toEqual({
      ...nothing,
      decidedByOthers: [
        {
          namespace: 'immich',
          direction: 'egress',
          policy: 'GlobalNetworkPolicy observe, tier default, rule 1',
          action: 'allow',
          besideStaged: false,
          isProfile: false,
          lastSeconds: 2_000,
          flowCount: 10,
        },
        {
          namespace: 'dbaas',
          direction: 'ingress',
          policy: 'Profile kns.immich, rule 0',
          action: 'allow',
          besideStaged: false,
          isProfile: true,
          lastSeconds: 2_000,
          flowCount: 3,
        },
      ],
    });
  });

  test('if a catch-all allows traffic that staged policies of the same namespace and direction do not select', () => {
    const verdicts = stagedVerdicts([
      traced({ enforced: [catchAll], pending: [stagedAllow] }, forAWeek),
      traced({ enforced: [catchAll], pending: [catchAll] }, { port: 443, flowCount: 4 }),
    ]);
    expect(passedByOthers(verdicts)).toMatchObject([
      { policy: 'GlobalNetworkPolicy observe, tier default, rule 1', flowCount: 4 },
    ]);
    expect(isEvidenceForEnforcing(verdicts, week)).toBe(false);
  });

  test.each([
    ['staged policies decided flows for less than the required days', { lastSeconds: 7 * daySeconds }, []],
    [
      'a gap leaves less than the required days',
      forAWeek,
      [{ fromSeconds: 50_000, toSeconds: 51_000, state: 'gap' as const }],
    ],
  ])('if %s', (_what, times, gaps) => {
    const verdicts = stagedVerdicts([
      traced({ enforced: [profile], pending: [stagedAllow] }, { ...forAWeek, reporter: 'dst' }),
      traced({ enforced: [profile], pending: [stagedAllow] }, times),
    ]);
    const [first, ...rest] = gaps;
    const coverage = first
      ? [
          { fromSeconds: 0, toSeconds: first.fromSeconds, state: 'settled' as const },
          first,
          ...rest,
          { fromSeconds: first.toSeconds, toSeconds: 9 * daySeconds, state: 'settled' as const },
        ]
      : week.coverage;
    expect(isEvidenceForEnforcing(verdicts, { ...week, coverage })).toBe(false);
    expect(stagedDays(verdicts, coverage)[0]).toMatchObject({ coveredDays: 6.9 });
  });

  test('if an allowed flow of the same namespace and direction has no known verdict', () => {
    const staged = traced({ enforced: [profile], pending: [stagedAllow] }, forAWeek);
    const unknown = (change: Partial<TracedEvidence>) =>
      stagedVerdicts([staged, traced({ other: true }, { ...forAWeek, ...change })]);
    const allowed = unknown({});
    expect(allowed).toMatchObject({ unknown: 10, unknownBesideStaged: 10 });
    expect(isEvidenceForEnforcing(allowed, week)).toBe(false);
    for (const change of [{ action: 'deny' }, { reporter: 'dst' }, { lastSeconds: 999 }] as const) {
      const other = unknown(change);
      expect(other).toMatchObject({ unknown: 10, unknownBesideStaged: 0 });
      expect(isEvidenceForEnforcing(other, week)).toBe(true);
    }
  });

  test('if a staged policy would deny', () => {
    expect(
      isEvidenceForEnforcing(
        stagedVerdicts([traced({ enforced: [profile], pending: [stagedDeny] }, forAWeek)]),
        week,
      ),
    ).toBe(false);
  });
});

test('a catch-all of another namespace or direction does not affect the evidence', () => {
  const verdicts = stagedVerdicts([
    traced({ enforced: [profile], pending: [stagedAllow] }, forAWeek),
    traced({ enforced: [catchAll], pending: [catchAll] }, { reporter: 'dst' }),
    traced({ enforced: [profile], pending: [profile] }, { port: 80 }),
  ]);
  expect(passedByOthers(verdicts)).toEqual([]);
  expect(isEvidenceForEnforcing(verdicts, week)).toBe(true);
});

test('lists pending verdicts not caused by a staged policy separately from disagreements', () => {
  const end = { k: 'EndOfTier', t: 'default', a: 'deny', by: { k: 'NetworkPolicy', ns: 'immich', n: 'x' } };
  const verdicts = stagedVerdicts([traced({ enforced: [profile], pending: [end] })]);
  expect(verdicts).toMatchObject({ disagreements: [], decided: 0, withoutStaged: [{ pending: 'deny' }] });
});

test.each([stagedDeny, stagedAllow, { ...stagedAllow, k: 'StagedKubernetesNetworkPolicy' }])(
  'counts a flow whose enforced verdict is a staged policy separately: %j',
  (hit) => {
    const verdicts = stagedVerdicts([
      traced({ enforced: [hit], pending: [stagedDeny] }, { action: 'deny' }),
      traced({ enforced: [hit], pending: [profile] }, { flowCount: 5 }),
    ]);
    expect(verdicts).toEqual({
      ...nothing,
      enforcedByStaged: [{ policy: expect.stringContaining('immich/egress'), flowCount: 15 }],
    });
  },
);

test('lists would-be denials first, for any order of the evidence', () => {
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
