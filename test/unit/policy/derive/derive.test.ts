import { describe, expect, test } from 'vitest';
import { deriveAllowlist } from '../../../../src/policy/derive/derive.ts';
import type { DeriveOptions, DerivedPolicy } from '../../../../src/policy/derive/model.ts';
import type { FlowEvidence } from '../../../../src/trail/facts/evidence.ts';
import { complete, connection, day, egress, fact } from './facts.ts';

function derive(facts: readonly FlowEvidence[], change: Partial<DeriveOptions> = {}, namespaces?: string[]) {
  return deriveAllowlist(facts, () => complete, { ...egress, ...change }, namespaces);
}

/** One line per allowed port: `egress dbaas/postgresql tcp 5432`. */
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

describe('ports that a service chooses for each connection', () => {
  const ports = (count: number, first: number) =>
    Array.from({ length: count }, (_, n) => fact('a', 'ftp', `tcp ${first + n * 97}`));

  test.each([
    [[...ports(5, 40_001), fact('a', 'ftp', 'tcp 21')], 1],
    [ports(4, 40_001), 0],
    // Services of a cluster rarely use these.
    [ports(20, 8_000), 0],
    [[...ports(3, 40_001), fact('a', 'b', 'tcp 50001'), fact('a', 'b', 'udp 50002')], 0],
    [[...ports(5, 40_001), fact('a', 'ftp', 'tcp -1')], 0],
  ])('cause a warning from five of them on to one peer', (facts, count) => {
    const { policies } = derive(facts, { allowManyPorts: true });
    expect(policies.flatMap(({ warnings }) => warnings.filter((text) => /endPort/.test(text)))).toHaveLength(
      count,
    );
  });
});

describe('evidence', () => {
  test('egress is based on reports of the source', () => {
    const { policies } = derive([fact('a', 'b', 'tcp 80'), fact('a', 'c', 'tcp 81', { reporter: 'dst' })]);
    expect(grants(policies)).toEqual(['a egress b tcp 80']);
  });

  test('ingress is based on reports of the destination', () => {
    const facts = [fact('a', 'b', 'tcp 80'), fact('c', 'b', 'tcp 81', { reporter: 'dst' })];
    expect(grants(derive(facts, { directions: ['ingress'] }).policies)).toEqual(['b ingress c tcp 81']);
  });

  test('an allow at the source with a deny at the destination is left out as blocked', () => {
    const { policies, without } = derive([
      fact('a', 'b', 'tcp 80'),
      fact('a', 'b', 'tcp 80', { reporter: 'dst', action: 'deny' }),
      ...connection('a', 'c', 'tcp 80'),
    ]);
    expect(grants(policies)).toEqual(['a egress c tcp 80']);
    expect(leftOut(policies)).toEqual(['blocked b tcp 80']);
    expect(without).toEqual([]);
  });

  test('a deny at the destination on another port does not block the allow', () => {
    const { policies } = derive([
      fact('a', 'b', 'tcp 80'),
      fact('a', 'b', 'tcp 80', { reporter: 'dst' }),
      fact('a', 'b', 'tcp -1', { reporter: 'dst', action: 'deny' }),
    ]);
    expect(grants(policies)).toEqual(['a egress b tcp 80']);
  });

  test('a deny at the destination on "many" ports blocks the allow of a port that is not listed', () => {
    const { policies } = derive([
      fact('a', 'b', 'tcp 80'),
      fact('a', 'b', 'tcp -1', { reporter: 'dst', action: 'deny' }),
      fact('a', 'c', 'tcp 80'),
    ]);
    expect(grants(policies)).toEqual(['a egress c tcp 80']);
  });

  test('an allow is blocked by a deny even if the two reports have different labels', () => {
    const { policies } = derive([
      fact('a', 'b/x', 'tcp 80'),
      fact('a', 'b', 'tcp 80', { reporter: 'dst', action: 'deny' }),
      fact('a', 'c', 'tcp 80'),
    ]);
    expect(grants(policies)).toEqual(['a egress c tcp 80']);
  });

  test('a flow that the destination both allowed and denied becomes a rule with a warning', () => {
    const { policies } = derive([
      ...connection('a', 'b', 'tcp 80'),
      fact('a', 'b', 'tcp 80', { reporter: 'dst', action: 'deny' }),
    ]);
    expect(grants(policies)).toEqual(['a egress b tcp 80']);
    expect(policies[0]?.warnings.join()).toMatch(/egress to b tcp 80 .* both allowed and denied/);
  });

  test('a flow that its own policy both allowed and denied becomes a rule with a warning', () => {
    const { policies } = derive([
      ...connection('a', 'b', 'tcp 80'),
      fact('a', 'b', 'tcp 80', { action: 'deny' }),
    ]);
    expect(grants(policies)).toEqual(['a egress b tcp 80']);
    expect(leftOut(policies)).toEqual([]);
    expect(policies[0]?.warnings.join()).toMatch(/egress to b tcp 80 was both allowed and denied/);
  });

  test.each(['pass', 'unspecified'] as const)('the action %s is not evidence', (action) => {
    const { policies } = derive([fact('a', 'b', 'tcp 80', { action }), fact('a', 'c', 'tcp 80')]);
    expect(grants(policies)).toEqual(['a egress c tcp 80']);
    expect(leftOut(policies)).toEqual(['undecided b tcp 80']);
  });
});

describe('a namespace', () => {
  test('without evidence has no policy and is listed with the reason', () => {
    const { policies, without } = derive([fact('a', 'b', 'tcp 80')], {}, ['a', 'idle']);
    expect(policies.map(({ namespace }) => namespace)).toEqual(['a']);
    expect(without).toEqual([{ namespace: 'idle', why: expect.stringMatching(/^no egress flow/) }]);
  });

  test('with only denied flows has no policy, not even for the baseline', () => {
    const { policies, without } = derive([fact('a', 'b', 'tcp 80', { action: 'deny' })], {
      baseline: { ...egress.baseline, dns: true },
    });
    expect(policies).toEqual([]);
    expect(without).toEqual([{ namespace: 'a', why: expect.stringContaining('no allowed flow') }]);
  });

  test('is restricted only in directions with evidence', () => {
    const { policies } = derive(connection('a', 'b', 'tcp 80'), { directions: ['egress', 'ingress'] });
    expect(policies.map(({ namespace, directions }) => [namespace, directions])).toEqual([
      ['a', ['egress']],
      ['b', ['ingress']],
    ]);
  });

  test('with a name that Kubernetes rejects appears in no policy or file name', () => {
    const { policies } = derive([
      fact('../a', 'b', 'tcp 80'),
      fact('c', "b' || all()", 'tcp 80'),
      fact('c', "d/x' || all()", 'tcp 80'),
      fact('c', 'e', 'tcp 80'),
    ]);
    expect(grants(policies)).toEqual(['c egress e tcp 80']);
    expect(leftOut(policies)).toEqual(["unnamed b' || all() tcp 80", 'unnamed d tcp 80']);
  });

  test('has the same policies in any order of its facts', () => {
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
  test('are selected if every flow of the port has the label', () => {
    const facts = [...connection('a', 'b/x', 'tcp 80'), ...connection('a', 'b/y', 'tcp 81')];
    expect(grants(derive(facts).policies)).toEqual(['a egress b/x tcp 80', 'a egress b/y tcp 81']);
  });

  test('widen to the whole namespace, with a warning, if one flow of the port has no label', () => {
    const { policies } = derive([
      ...connection('a', 'b/x', 'tcp 80'),
      ...connection('a', 'b', 'tcp 80'),
      ...connection('a', 'b/x', 'tcp 81'),
    ]);
    expect(grants(policies)).toEqual(['a egress b tcp 80', 'a egress b/x tcp 81']);
    expect(policies[0]?.warnings).toEqual([
      'egress to b tcp 80 is allowed for the whole namespace: not every flow had the label service-identity',
    ]);
    expect(policies[0]?.rules[0]?.ports[0]?.widenings).toEqual(['namespace-instead-of-identity']);
  });

  test('that are not stored for every flow of a namespace widen to it, with a warning', () => {
    const facts = [
      ...connection('a', 'b', 'tcp 80'),
      ...connection('a', 'b/x', 'tcp 81'),
      ...connection('a', 'c', 'tcp 82'),
    ];
    const { policies } = derive(facts, { limitedNamespaces: new Set(['b']) });
    expect(grants(policies)).toEqual(['a egress b tcp 80', 'a egress b/x tcp 81', 'a egress c tcp 82']);
    expect(policies[0]?.warnings).toEqual([expect.stringMatching(/^egress to b tcp 80 .*\bIDENTITY_CAP/)]);
    expect(policies[0]?.rules.flatMap(({ ports }) => ports.map(({ widenings }) => widenings))).toEqual([
      ['namespace-instead-of-identity'],
      [],
      [],
    ]);
    expect(derive(facts).policies[0]?.warnings).toEqual([]);
    const disabled = derive(facts, { limitedNamespaces: new Set(['b', 'c']), identities: false });
    expect(disabled.policies[0]?.warnings).toEqual([]);
  });

  test('that are not stored for every flow of the policy’s own namespace are named as the reason', () => {
    const { policies } = derive(
      [...connection('b/x', 'a', 'tcp 80'), ...connection('b', 'a', 'tcp 81')],
      { limitedNamespaces: new Set(['b']) },
      ['b'],
    );
    expect(policies.map(({ identity }) => identity)).toEqual(['']);
    expect(policies[0]?.warnings).toEqual([expect.stringMatching(/^selects every pod of b.*\bIDENTITY_CAP/)]);
  });

  test('widen to the namespace if identities are disabled, and the rule states it', () => {
    const { policies } = derive(connection('a', 'b/x', 'tcp 80'), { identities: false });
    expect(grants(policies)).toEqual(['a egress b tcp 80']);
    expect(policies[0]?.rules[0]?.ports[0]?.widenings).toEqual(['namespace-instead-of-identity']);
  });

  test('have separate policies if every flow of their namespace has the label', () => {
    const facts = [...connection('b/x', 'a', 'tcp 80'), ...connection('b/y', 'c', 'tcp 81')];
    expect(grants(derive(facts).policies)).toEqual(['b/x egress a tcp 80', 'b/y egress c tcp 81']);
  });

  test('share one policy of the namespace, with a warning, if one of its flows has no label', () => {
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

  test('beyond the cap become a rule for all ports if that is enabled, and the rule states it', () => {
    const { policies } = derive([fact('a', 'b', 'tcp -1')], { allowManyPorts: true });
    expect(grants(policies)).toEqual(['a egress b tcp all']);
    expect(policies[0]?.rules[0]?.ports[0]?.widenings).toEqual(['all-ports']);
  });

  test('are not written for a protocol without ports', () => {
    expect(grants(derive([fact('a', 'b', 'icmp 0')]).policies)).toEqual(['a egress b icmp none']);
  });
});

describe('an external', () => {
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

  test.each([
    ['set:ranges', 0],
    ['set:a/ranges', 0],
    ['set:evil/ranges', 1],
  ])('%s has a warning if its addresses are chosen by another namespace', (peer, warnings) => {
    const { policies } = derive([fact('a', peer, 'tcp 443')]);
    expect(policies[0]?.rules).toHaveLength(1);
    expect(policies[0]?.warnings.filter((text) => /network sets in evil/.test(text))).toHaveLength(warnings);
  });
});

describe('the baseline', () => {
  test('is added to egress if enabled, and is marked', () => {
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

  test('contains databases and redis only for a namespace that was allowed to use them', () => {
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

  test('warns of traffic that is currently denied and that a baseline rule allows', () => {
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

  test.each<[string, FlowEvidence[], Partial<DeriveOptions['baseline']>, number]>([
    ['only to addresses', [fact('a', 'pub', 'udp 53')], {}, 1],
    ['only to a node', [fact('a', 'host', 'tcp 53')], {}, 1],
    ['to an address that is set', [fact('a', 'pub', 'udp 53')], { dnsAddresses: ['169.254.20.10/32'] }, 0],
    ['also to a network set', [fact('a', 'pub', 'udp 53'), fact('a', 'set:dns', 'udp 53')], {}, 0],
    ['denied today', [fact('a', 'pub', 'udp 53', { action: 'deny' })], {}, 0],
    ['none', [], {}, 0],
  ])('DNS %s: %o with %o gives %i warnings that DNS is denied', (_what, dns, change, count) => {
    const { policies } = derive([fact('a', 'b', 'tcp 80'), ...dns], {
      baseline: { ...egress.baseline, ...change },
    });
    expect(policies[0]?.warnings.filter((warning) => /DNS/.test(warning))).toHaveLength(count);
  });
});

describe('the evidence of a rule', () => {
  test('a rule for a whole namespace or for all ports that allows what is denied today is reported', () => {
    const denied = (dst: string, how: string) => fact('a', dst, how, { action: 'deny' });
    const warnings = (facts: readonly FlowEvidence[], change: Partial<DeriveOptions> = {}) =>
      derive(facts, change).policies.flatMap((policy) => policy.warnings);
    expect(warnings([fact('a', 'b', 'tcp 80'), denied('b/x', 'tcp 80')])).toEqual([
      expect.stringMatching(
        /^egress to b\/x tcp 80 is denied today .*; this policy allows it by its rule for b$/,
      ),
    ]);
    expect(warnings([fact('a', 'b', 'tcp -1'), denied('b', 'tcp 22')], { allowManyPorts: true })).toEqual([
      expect.stringMatching(/^egress to b tcp 22 is denied today/),
    ]);
    expect(warnings([fact('a', 'b/y', 'tcp 80'), denied('b/x', 'tcp 80')])).toEqual([]);
    expect(warnings([fact('a', 'b', 'tcp 80'), denied('b/x', 'udp 80')])).toEqual([]);
  });

  test('covers all its facts: earliest and latest time, union of days, sum of flows', () => {
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

describe('traffic that was seen on one day only', () => {
  const days = [day, day + 1, day + 2];
  const regular = fact('shop', 'vault', 'tcp 8200', { reporter: 'dst', days });
  const once = Array.from({ length: 8 }, (_, at) =>
    fact('evil', 'vault', `tcp ${22 + at}`, { reporter: 'dst', days: [day] }),
  );
  const warned = (facts: readonly FlowEvidence[], status = complete) =>
    deriveAllowlist(facts, () => status, { ...egress, directions: ['ingress'] }).policies.flatMap(
      ({ warnings }) => warnings.filter((text) => text.includes('one day')),
    );

  test('becomes a rule with a warning that names it', () => {
    expect(warned([regular, ...once.slice(0, 1)])).toEqual([expect.stringContaining('evil tcp 22')]);
    expect(warned([regular])).toEqual([]);
  });

  test('is one warning for each direction, of limited length, with the number of those not named', () => {
    expect(warned([regular, ...once])).toEqual([expect.stringMatching(/^8 .*evil tcp 26 and 3 more/)]);
  });

  test('has no warning while the namespace is learning, when most traffic is', () => {
    expect(warned(once, { ...complete, verdict: 'learning' })).toEqual([]);
  });
});

describe('the status of a policy', () => {
  const both = { directions: ['egress', 'ingress'] } as const;
  const learning = { ...complete, verdict: 'learning', coveredDays: 2 } as const;
  const facts = [fact('a', 'b', 'tcp 80'), fact('b', 'a', 'tcp 81', { reporter: 'dst' })];

  test.each(['src', 'dst'] as const)('is that of its least complete direction: %s', (reporter) => {
    const { policies } = deriveAllowlist(
      facts,
      (some) => (some.every((each) => each.reporter === reporter) ? learning : complete),
      { ...egress, ...both },
      ['a'],
    );
    expect(policies[0]?.status).toBe(learning);
    expect(policies[0]?.statuses.map(({ direction, status }) => [direction, status.verdict])).toEqual([
      ['egress', reporter === 'src' ? 'learning' : 'complete'],
      ['ingress', reporter === 'dst' ? 'learning' : 'complete'],
    ]);
  });

  test('does not depend on ingress that is denied: any pod could keep a namespace unstable with it', () => {
    const attempts = [
      fact('evil', 'a', 'tcp 22', { reporter: 'dst', action: 'deny' }),
      fact('a', 'evil', 'tcp 23', { action: 'deny' }),
    ];
    const changes: string[] = [];
    deriveAllowlist(
      [...facts, ...attempts],
      (_, some) => {
        changes.push(...some.map(({ reporter, port }) => `${reporter} ${port}`));
        return complete;
      },
      { ...egress, ...both },
      ['a'],
    );
    expect(changes.toSorted()).toEqual(['dst 81', 'src 23', 'src 80']);
  });

  test('includes a warning for a direction without allowed flows', () => {
    const { policies } = derive(facts.slice(0, 1), both, ['a']);
    expect(policies[0]?.directions).toEqual(['egress']);
    expect(policies[0]?.warnings).toEqual([expect.stringMatching(/does not restrict ingress/)]);
  });
});
