import { describe, expect, test } from 'vitest';
import { deriveAllowlist } from '../../../../src/policy/derive/derive.ts';
import type { DeriveOptions, DerivedPolicy } from '../../../../src/policy/derive/model.ts';
import type { FlowEvidence } from '../../../../src/trail/evidence.ts';
import { complete, connection, day, egress, fact } from './facts.ts';

function derive(facts: readonly FlowEvidence[], change: Partial<DeriveOptions> = {}, namespaces?: string[]) {
  return deriveAllowlist(facts, () => complete, { ...egress, ...change }, namespaces);
}

/** `egress dbaas/postgresql tcp 5432`, a line per allowed port. */
function grants(policies: readonly DerivedPolicy[]): string[] {
  return policies.flatMap(({ namespace, identity, rules }) =>
    rules.flatMap(({ direction, peer, ports, isBaseline }) =>
      ports.map(({ protocol, port }) => {
        const own = identity === '' ? namespace : `${namespace}/${identity}`;
        const other =
          peer.kind === 'address'
            ? peer.cidr
            : peer.kind === 'networkset'
              ? `set:${peer.name}`
              : peer.kind === 'identity'
                ? `${peer.ns}/${peer.identity}`
                : peer.ns;
        return `${own} ${direction} ${other} ${protocol} ${port}${isBaseline ? ' (baseline)' : ''}`;
      }),
    ),
  );
}

function leftOut(policies: readonly DerivedPolicy[]): string[] {
  return policies.flatMap((policy) =>
    policy.leftOut.map(
      ({ reason, peer, protocol, port }) => `${reason} ${peer.ns || peer.identity} ${protocol} ${port}`,
    ),
  );
}

describe('whose word counts', () => {
  test('egress rests on what the source reported', () => {
    const { policies } = derive([fact('a', 'b', 'tcp 80'), fact('a', 'c', 'tcp 81', { reporter: 'dst' })]);
    expect(grants(policies)).toEqual(['a egress b tcp 80']);
  });

  test('ingress rests on what the destination reported', () => {
    const facts = [fact('a', 'b', 'tcp 80'), fact('c', 'b', 'tcp 81', { reporter: 'dst' })];
    expect(grants(derive(facts, { directions: ['ingress'] }).policies)).toEqual(['b ingress c tcp 81']);
  });

  test('an allow at the source with a deny at the destination is listed as blocked, and is no evidence', () => {
    const { policies, without } = derive([
      fact('a', 'b', 'tcp 80'),
      fact('a', 'b', 'tcp 80', { reporter: 'dst', action: 'deny' }),
      ...connection('a', 'c', 'tcp 80'),
    ]);
    expect(grants(policies)).toEqual(['a egress c tcp 80']);
    expect(leftOut(policies)).toEqual(['blocked b tcp 80']);
    expect(without).toEqual([]);
  });

  test('a deny at the destination of another port leaves the allow what it is', () => {
    const { policies } = derive([
      fact('a', 'b', 'tcp 80'),
      fact('a', 'b', 'tcp 80', { reporter: 'dst' }),
      fact('a', 'b', 'tcp -1', { reporter: 'dst', action: 'deny' }),
    ]);
    expect(grants(policies)).toEqual(['a egress b tcp 80']);
  });

  test('where the destination knows a port only as one of many denied ones, the allow is no evidence', () => {
    const { policies } = derive([
      fact('a', 'b', 'tcp 80'),
      fact('a', 'b', 'tcp -1', { reporter: 'dst', action: 'deny' }),
      fact('a', 'c', 'tcp 80'),
    ]);
    expect(grants(policies)).toEqual(['a egress c tcp 80']);
  });

  test('the two ends of a blocked connection need not know the same labels', () => {
    const { policies } = derive([
      fact('a', 'b/x', 'tcp 80'),
      fact('a', 'b', 'tcp 80', { reporter: 'dst', action: 'deny' }),
      fact('a', 'c', 'tcp 80'),
    ]);
    expect(grants(policies)).toEqual(['a egress c tcp 80']);
  });

  test('what the destination both let in and denied is allowed, with a warning', () => {
    const { policies } = derive([
      ...connection('a', 'b', 'tcp 80'),
      fact('a', 'b', 'tcp 80', { reporter: 'dst', action: 'deny' }),
    ]);
    expect(grants(policies)).toEqual(['a egress b tcp 80']);
    expect(policies[0]?.warnings.join()).toMatch(/egress to b tcp 80 .* both allowed and denied/);
  });

  test('what its own policy both allowed and denied is allowed, with a warning', () => {
    const { policies } = derive([
      ...connection('a', 'b', 'tcp 80'),
      fact('a', 'b', 'tcp 80', { action: 'deny' }),
    ]);
    expect(grants(policies)).toEqual(['a egress b tcp 80']);
    expect(leftOut(policies)).toEqual([]);
    expect(policies[0]?.warnings.join()).toMatch(/egress to b tcp 80 was both allowed and denied/);
  });

  test.each(['pass', 'unspecified'] as const)('%s is neither allow nor deny, and no evidence', (action) => {
    const { policies } = derive([fact('a', 'b', 'tcp 80', { action }), fact('a', 'c', 'tcp 80')]);
    expect(grants(policies)).toEqual(['a egress c tcp 80']);
    expect(leftOut(policies)).toEqual(['undecided b tcp 80']);
  });
});

describe('a namespace', () => {
  test('without evidence gets nothing, and is named', () => {
    const { policies, without } = derive([fact('a', 'b', 'tcp 80')], {}, ['a', 'idle']);
    expect(policies.map(({ namespace }) => namespace)).toEqual(['a']);
    expect(without).toEqual([{ namespace: 'idle', why: 'no egress flow of it was observed in the period' }]);
  });

  test('of which only denied flows were seen gets nothing, baseline neither', () => {
    const { policies, without } = derive([fact('a', 'b', 'tcp 80', { action: 'deny' })], {
      baseline: { ...egress.baseline, dns: true },
    });
    expect(policies).toEqual([]);
    expect(without).toEqual([{ namespace: 'a', why: expect.stringContaining('no allowed flow') }]);
  });

  test('is restricted only in directions with evidence; the other direction is named', () => {
    const { policies } = derive(connection('a', 'b', 'tcp 80'), { directions: ['egress', 'ingress'] });
    expect(policies.map(({ namespace, directions }) => [namespace, directions])).toEqual([
      ['a', ['egress']],
      ['b', ['ingress']],
    ]);
  });

  test('whose name Kubernetes would not accept never gets into a policy or a file name', () => {
    const { policies } = derive([
      fact('../a', 'b', 'tcp 80'),
      fact('c', "b' || all()", 'tcp 80'),
      fact('c', "d/x' || all()", 'tcp 80'),
      fact('c', 'e', 'tcp 80'),
    ]);
    expect(grants(policies)).toEqual(['c egress e tcp 80']);
    expect(leftOut(policies)).toEqual(["unnamed b' || all() tcp 80", 'unnamed d tcp 80']);
  });

  test('has the same policies whatever the order of its facts', () => {
    const facts = [
      ...connection('a', 'b/x', 'tcp 80'),
      ...connection('a', 'b/y', 'tcp 80'),
      ...connection('a', 'b', 'udp 53'),
      fact('a', 'pub', 'tcp 443'),
      fact('a', 'set:ranges', 'tcp 443'),
    ];
    expect(derive(facts.toReversed())).toEqual(derive(facts));
  });
});

describe('service identities', () => {
  test('are selected where every flow of the port carried the label', () => {
    const facts = [...connection('a', 'b/x', 'tcp 80'), ...connection('a', 'b/y', 'tcp 81')];
    expect(grants(derive(facts).policies)).toEqual(['a egress b/x tcp 80', 'a egress b/y tcp 81']);
  });

  test('give way to the whole namespace, with a warning, where one flow of the port carried none', () => {
    const { policies } = derive([
      ...connection('a', 'b/x', 'tcp 80'),
      ...connection('a', 'b', 'tcp 80'),
      ...connection('a', 'b/x', 'tcp 81'),
    ]);
    expect(grants(policies)).toEqual(['a egress b tcp 80', 'a egress b/x tcp 81']);
    expect(policies[0]?.warnings).toEqual([
      'egress to b tcp 80 is allowed for the whole namespace: not every flow carried the label service-identity',
    ]);
    expect(policies[0]?.rules[0]?.ports[0]?.widenings).toEqual(['namespace-instead-of-identity']);
  });

  test('that were not asked for widen to the namespace, and the rule says so', () => {
    const { policies } = derive(connection('a', 'b/x', 'tcp 80'), { identities: false });
    expect(grants(policies)).toEqual(['a egress b tcp 80']);
    expect(policies[0]?.rules[0]?.ports[0]?.widenings).toEqual(['namespace-instead-of-identity']);
  });

  test('have a policy each where every flow of their namespace carried the label', () => {
    const facts = [...connection('b/x', 'a', 'tcp 80'), ...connection('b/y', 'c', 'tcp 81')];
    expect(grants(derive(facts).policies)).toEqual(['b/x egress a tcp 80', 'b/y egress c tcp 81']);
  });

  test('share one policy of the namespace, with a warning, where a flow of it carried none', () => {
    const { policies } = derive([...connection('b/x', 'a', 'tcp 80'), ...connection('b', 'c', 'tcp 81')]);
    expect(grants(policies)).toEqual(['b egress a tcp 80', 'b egress c tcp 81']);
    expect(policies[0]?.warnings[0]).toMatch(/selects every pod of b/);
  });
});

describe('ports', () => {
  test('beyond the cap never become a rule without ports', () => {
    const { policies } = derive([fact('a', 'b', 'tcp -1'), fact('a', 'c', 'tcp 80')]);
    expect(grants(policies)).toEqual(['a egress c tcp 80']);
    expect(leftOut(policies)).toEqual(['many-ports b tcp -1']);
  });

  test('beyond the cap become a rule for all ports of their protocol where that is asked for, marked as such', () => {
    const { policies } = derive([fact('a', 'b', 'tcp -1')], { allowManyPorts: true });
    expect(grants(policies)).toEqual(['a egress b tcp all']);
    expect(policies[0]?.rules[0]?.ports[0]?.widenings).toEqual(['all-ports']);
  });

  test('that a protocol does not have are not invented', () => {
    expect(grants(derive([fact('a', 'b', 'icmp 0')]).policies)).toEqual(['a egress b icmp none']);
  });
});

describe('what is outside', () => {
  test.each([
    ['pub', 'external'],
    ['pvt', 'external'],
    ['host', 'host'],
  ])('%s never becomes a rule', (name, reason) => {
    const { policies } = derive([fact('a', name, 'tcp 443')]);
    expect(grants(policies)).toEqual([]);
    expect(policies[0]?.leftOut.map((entry) => entry.reason)).toEqual([reason]);
  });

  test('a network set becomes a reference', () => {
    expect(grants(derive([fact('a', 'set:ranges', 'tcp 443')]).policies)).toEqual([
      'a egress set:ranges tcp 443',
    ]);
  });
});

describe('the baseline', () => {
  test('is added only where switched on, to egress, and marked', () => {
    const facts = connection('a', 'b', 'tcp 80');
    const both = { directions: ['egress', 'ingress'] } as const;
    expect(grants(derive(facts, both).policies)).toEqual(['a egress b tcp 80', 'b ingress a tcp 80']);
    const baseline = { dns: true, dnsAddresses: ['169.254.20.10/32'], databases: true, redis: true };
    expect(grants(derive(facts, { ...both, baseline }).policies)).toEqual([
      'a egress kube-system udp 53 (baseline)',
      'a egress kube-system tcp 53 (baseline)',
      'a egress 169.254.20.10/32 udp 53 (baseline)',
      'a egress 169.254.20.10/32 tcp 53 (baseline)',
      'a egress b tcp 80',
      'b ingress a tcp 80',
    ]);
  });

  test('has databases and redis only for a namespace that was allowed to use them', () => {
    const baseline = { ...egress.baseline, databases: true, redis: true };
    const { policies } = derive(
      [
        fact('a', 'dbaas/mysql', 'tcp 3306'),
        fact('b', 'redis', 'tcp 6379', { action: 'deny' }),
        fact('b', 'c', 'tcp 80'),
      ],
      { baseline },
    );
    expect(grants(policies).filter((grant) => grant.endsWith('(baseline)'))).toEqual([
      'a egress dbaas tcp 3306 (baseline)',
      'a egress dbaas tcp 5432 (baseline)',
    ]);
  });

  test('warns of what policy denies today and a baseline rule allows', () => {
    const { policies } = derive(
      [
        fact('a', 'dbaas', 'tcp 3306'),
        fact('a', 'dbaas', 'tcp 5432', { action: 'deny' }),
        fact('a', 'kube-system', 'udp 53', { action: 'deny' }),
        fact('a', 'kube-system', 'tcp 443', { action: 'deny' }),
      ],
      { baseline: { ...egress.baseline, dns: true, dnsAddresses: ['10.96.0.10/32'], databases: true } },
    );
    expect(policies[0]?.warnings).toEqual([
      expect.stringMatching(/baseline allows egress to kube-system .* udp 53, which policy denies today/),
      expect.stringMatching(/baseline allows egress to dbaas tcp 5432, which policy denies today/),
    ]);
  });

  test.each<[string, Partial<DeriveOptions['baseline']>, number]>([
    ['the baseline without an address', { dns: true }, 1],
    ['an observed rule without an address', {}, 1],
    ['an address', { dnsAddresses: ['10.96.0.10/32'] }, 0],
    ['the baseline and an address', { dns: true, dnsAddresses: ['10.96.0.10/32'] }, 0],
  ])('of DNS: %s gives %o %i warnings', (_what, change, count) => {
    const { policies } = derive([fact('a', 'kube-system/kube-dns', 'udp 53')], {
      baseline: { ...egress.baseline, ...change },
    });
    expect(policies[0]?.warnings.filter((warning) => /only to pods/.test(warning))).toHaveLength(count);
  });
});

describe('the evidence of a rule', () => {
  test('is of all facts that it rests on: earliest, latest, days united, flows added', () => {
    const { policies } = derive([
      fact('a/x', 'b', 'tcp 80', { flowCount: 3, days: [day, day + 1], lastSeconds: 2_000_000_000 }),
      fact('a', 'b', 'tcp 80', { flowCount: 4, days: [day + 1, day + 4], firstSeconds: 1_000 }),
    ]);
    expect(policies[0]?.rules[0]?.ports[0]?.sighting).toEqual({
      firstSeconds: 1_000,
      lastSeconds: 2_000_000_000,
      flowCount: 7,
      days: [day, day + 1, day + 4],
    });
  });
});
