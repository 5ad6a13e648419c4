import { describe, expect, test } from 'vitest';
import { deriveAllowlist } from '../../../../src/policy/derive/derive.ts';
import { emitPolicies, type PolicyKind } from '../../../../src/policy/derive/emit.ts';
import { traceFindings } from '../../../../src/policy/derive/trace-findings.ts';
import { compilePolicies } from '../../../../src/policy/replay/policy-set.ts';
import { drift } from '../../../../src/policy/replay/drift.ts';
import { replay, type Finding } from '../../../../src/policy/replay/replay.ts';
import { markUnknownIdentities } from '../../../../src/policy/replay/unknown-identities.ts';
import type { FlowEvidence } from '../../../../src/trail/facts/evidence.ts';
import { captureEvidence } from '../../../support/capture-evidence.ts';
import { complete, connection, egress, fact } from '../derive/facts.ts';

const label = 'service-identity';
const identity = { label, namespaces: 'all' as const };

function policies(...texts: string[]) {
  return compilePolicies(
    texts.map((text, at) => ({ path: `${at}.yaml`, text })),
    identity,
  );
}

function kubernetes(namespace: string, spec: unknown, kind = 'NetworkPolicy'): string {
  const apiVersion = kind === 'NetworkPolicy' ? 'networking.k8s.io/v1' : 'projectcalico.org/v3';
  return JSON.stringify({ apiVersion, kind, metadata: { name: 'test', namespace }, spec });
}

function calico(kind: string, namespace: string | undefined, spec: unknown, name = 'test'): string {
  return JSON.stringify({ apiVersion: 'projectcalico.org/v3', kind, metadata: { name, namespace }, spec });
}

const brief = (findings: readonly Finding[]) =>
  findings.map(({ direction, src, dst, port }) => `${direction} ${src} -> ${dst} ${port}`);

const onlyB = kubernetes('a', {
  podSelector: {},
  policyTypes: ['Egress'],
  egress: [
    {
      to: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'b' } } }],
      ports: [{ protocol: 'TCP', port: 80 }],
    },
  ],
});

describe('replaying a policy', () => {
  test('lists allowed flows that it would deny, with last time and count', () => {
    const found = replay(policies(onlyB), [
      fact('a', 'b', 'tcp 80'),
      fact('a', 'c', 'tcp 80', { flowCount: 5, lastSeconds: 99 }),
      fact('a', 'b', 'udp 80'),
    ]);
    expect(brief(found.wouldDeny)).toEqual(['egress a -> b udp 80', 'egress a -> c tcp 80']);
    expect(found.wouldDeny[1]).toMatchObject({ flowCount: 5, lastSeconds: 99 });
    expect(found.wouldDeny[1]?.by).toMatch(
      /^end of tier default: NetworkPolicy a\/test \(0\.yaml\) selects it/,
    );
  });

  test('lists denied flows that it would allow', () => {
    const found = replay(policies(onlyB), [fact('a', 'b', 'tcp 80', { action: 'deny' })]);
    expect(brief(found.wouldAllow)).toEqual(['egress a -> b tcp 80']);
  });

  test('ignores flows that no policy selects, and counts denied ones among them', () => {
    const found = replay(policies(onlyB), [
      fact('x', 'y', 'tcp 1'),
      fact('x', 'y', 'tcp 2', { action: 'deny' }),
      fact('b', 'a', 'tcp 3', { reporter: 'dst' }),
    ]);
    expect(found).toMatchObject({
      facts: 3,
      selected: 0,
      withoutFacts: ['NetworkPolicy a/test (0.yaml)'],
      wouldDeny: [],
      wouldAllow: [],
      undecided: [],
      unselectedDenied: 1,
    });
  });

  test('counts the facts that a policy selects, and names the policies that select none', () => {
    const ingress = kubernetes('b', { podSelector: {}, policyTypes: ['Ingress'] });
    const found = replay(policies(onlyB, ingress), [
      fact('a', 'b', 'tcp 80'),
      fact('a', 'c', 'tcp 80', { action: 'deny' }),
      fact('b', 'a', 'tcp 80'),
    ]);
    expect(found).toMatchObject({
      facts: 3,
      selected: 2,
      withoutFacts: ['NetworkPolicy b/test (1.yaml)'],
    });
    expect(replay(policies(onlyB), [])).toMatchObject({ facts: 0, selected: 0 });
  });

  test('does not count flows that the destination denied', () => {
    const found = replay(policies(onlyB), [
      fact('a', 'c', 'tcp 80'),
      fact('a', 'c', 'tcp 80', { reporter: 'dst', action: 'deny' }),
    ]);
    expect(found.wouldDeny).toEqual([]);
  });

  test('does not compare a denial that names a staged policy, and names the policy', () => {
    const denied = fact('a', 'b', 'tcp 80', { action: 'deny' });
    const atDestination = fact('a', 'c', 'tcp 80', { action: 'deny', reporter: 'dst' });
    const trace = { enforced: [{ k: 'StagedNetworkPolicy', ns: 'c', n: 'next', t: 'default', a: 'deny' }] };
    const facts = [denied, atDestination, fact('a', 'c', 'tcp 80')];
    const traces = traceFindings([
      { ...denied, days: 1, trace },
      { ...atDestination, days: 1, trace },
    ]);
    const found = replay(policies(onlyB), facts, traces);
    expect(brief(found.misreported)).toEqual(['egress a -> b tcp 80', 'ingress a -> c tcp 80']);
    expect(found.misreported[0]?.by).toBe('StagedNetworkPolicy c/next, tier default');
    expect(found).toMatchObject({ facts: 1, wouldAllow: [], unselectedDenied: 0 });
    // The destination did not deny the flow, so the source's new denial counts.
    expect(brief(found.wouldDeny)).toEqual(['egress a -> c tcp 80']);
    expect(brief(drift(policies(onlyB), facts, traces).misreported)).toHaveLength(2);
    expect(replay(policies(onlyB), facts).wouldAllow).toHaveLength(1);
  });

  test('evaluates ingress by reports of the destination', () => {
    const ingress = kubernetes('b', { podSelector: {}, policyTypes: ['Ingress'], ingress: [] });
    expect(brief(replay(policies(ingress), connection('a', 'b', 'tcp 80')).wouldDeny)).toEqual([
      'ingress a -> b tcp 80',
    ]);
  });

  test.each(['pub', 'pvt', 'host', 'set:ranges'])('denies %s if only pods are allowed', (name) => {
    expect(replay(policies(onlyB), [fact('a', name, 'tcp 80')]).wouldDeny).toHaveLength(1);
  });

  test('leaves address ranges undecided, except the range of all addresses', () => {
    const to = (cidr: string) =>
      policies(
        kubernetes('a', {
          podSelector: {},
          policyTypes: ['Egress'],
          egress: [{ to: [{ ipBlock: { cidr } }] }],
        }),
      );
    expect(replay(to('0.0.0.0/0'), [fact('a', 'pub', 'tcp 443')])).toMatchObject({
      wouldDeny: [],
      undecided: [],
    });
    expect(replay(to('203.0.113.0/24'), [fact('a', 'pub', 'tcp 443')]).undecided).toHaveLength(1);
  });

  test('leaves selectors with other labels undecided, unless another rule allows the flow', () => {
    const web = { to: [{ podSelector: { matchLabels: { app: 'web' } } }] };
    const spec = (egressRules: unknown[]) =>
      policies(kubernetes('a', { podSelector: {}, policyTypes: ['Egress'], egress: egressRules }));
    const found = replay(spec([web]), [fact('a', 'a', 'tcp 80')]);
    expect(found.undecided[0]?.by).toMatch(/^data that is not stored/);
    expect(replay(spec([web, { to: [{ podSelector: {} }] }]), [fact('a', 'a', 'tcp 80')])).toMatchObject({
      wouldDeny: [],
      undecided: [],
    });
  });

  test('many ports are allowed by a rule without ports, and undecided by one with', () => {
    const rule = (ports: unknown[]) =>
      policies(kubernetes('a', { podSelector: {}, policyTypes: ['Egress'], egress: [{ ports }] }));
    const many = [fact('a', 'b', 'tcp -1')];
    expect(replay(rule([{ protocol: 'TCP' }]), many)).toMatchObject({ wouldDeny: [], undecided: [] });
    expect(replay(rule([{ protocol: 'TCP', port: 80 }]), many).undecided).toHaveLength(1);
    expect(replay(rule([{ protocol: 'UDP' }]), many).wouldDeny).toHaveLength(1);
  });

  test('a Kubernetes policy without types restricts ingress, and egress only if it has such rules', () => {
    const without = policies(kubernetes('a', { podSelector: {} }));
    expect(replay(without, [fact('a', 'b', 'tcp 80')]).wouldDeny).toEqual([]);
    expect(replay(without, [fact('b', 'a', 'tcp 80', { reporter: 'dst' })]).wouldDeny).toHaveLength(1);
  });

  test('a range of ports includes its endPort', () => {
    const range = policies(
      kubernetes('a', {
        podSelector: {},
        policyTypes: ['Egress'],
        egress: [{ ports: [{ protocol: 'TCP', port: 80, endPort: 82 }] }],
      }),
    );
    const found = replay(
      range,
      [79, 80, 82, 83].map((port) => fact('a', 'b', `tcp ${port}`)),
    );
    expect(brief(found.wouldDeny)).toEqual(['egress a -> b tcp 79', 'egress a -> b tcp 83']);
  });
});

describe("Calico's order", () => {
  const allow = {
    action: 'Allow',
    protocol: 'TCP',
    destination: { namespaceSelector: "projectcalico.org/name == 'b'" },
  };
  const observed = [fact('a', 'b', 'tcp 80')];

  test('the first rule that matches decides', () => {
    const rules = [{ action: 'Deny', destination: { ports: [80] }, protocol: 'TCP' }, allow];
    const spec = (list: unknown[]) =>
      calico('NetworkPolicy', 'a', { selector: 'all()', types: ['Egress'], egress: list });
    expect(replay(policies(spec(rules)), observed).wouldDeny).toHaveLength(1);
    expect(replay(policies(spec(rules.toReversed())), observed).wouldDeny).toEqual([]);
  });

  test('a policy of lower order is evaluated first', () => {
    const deny = (order: number) =>
      calico('NetworkPolicy', 'a', { order, types: ['Egress'], egress: [{ action: 'Deny' }] }, 'deny');
    const allowing = calico('NetworkPolicy', 'a', { order: 10, types: ['Egress'], egress: [allow] });
    expect(replay(policies(allowing, deny(5)), observed).wouldDeny).toHaveLength(1);
    expect(replay(policies(allowing, deny(20)), observed).wouldDeny).toEqual([]);
  });

  test('a tier of lower order is evaluated first, can pass, and denies selected flows at its end', () => {
    const tier = calico('Tier', undefined, { order: 100 }, 'platform');
    const inTier = (action: string) =>
      calico(
        'GlobalNetworkPolicy',
        undefined,
        { tier: 'platform', types: ['Egress'], egress: [{ action, protocol: 'TCP' }] },
        'platform.observe',
      );
    expect(replay(policies(tier, inTier('Pass'), onlyB), observed).wouldDeny).toEqual([]);
    expect(replay(policies(tier, inTier('Pass')), [fact('a', 'b', 'udp 53')]).wouldDeny[0]?.by).toMatch(
      /end of tier platform/,
    );
    expect(replay(policies(tier, inTier('Deny'), onlyB), observed).wouldDeny).toHaveLength(1);
  });

  test('a tier that passes by default denies nothing at its end', () => {
    const tier = calico('Tier', undefined, { order: 100, defaultAction: 'Pass' }, 'platform');
    const empty = calico('GlobalNetworkPolicy', undefined, {
      tier: 'platform',
      types: ['Egress'],
      egress: [],
    });
    expect(replay(policies(tier, empty), observed).wouldDeny).toEqual([]);
  });

  test('Log does not decide', () => {
    const spec = { types: ['Egress'], egress: [{ action: 'Log' }, allow] };
    expect(replay(policies(calico('NetworkPolicy', 'a', spec)), observed).wouldDeny).toEqual([]);
  });
});

/** Each problem names the file, the object and the field, and says what to do. */
describe('content that cannot be evaluated is rejected', () => {
  const port = (field: object) => ({ egress: [{ ports: [field] }] });
  const cidr = (block: object) => ({ egress: [{ to: [{ ipBlock: block }] }] });
  const rule = (field: object) => ({ egress: [{ action: 'Allow', ...field }] });
  const tcpTo = (destination: object) => rule({ protocol: 'TCP', destination });
  test.each<[string, object, string]>([
    ['an unknown field', { egres: [] }, 'spec.egres '],
    ['an unknown field of a peer', { egress: [{ to: [{ ipBlok: {} }] }] }, 'spec.egress.0.to.0.ipBlok '],
    ['an empty peer', { egress: [{ to: [{}] }] }, 'spec.egress.0.to.0 '],
    [
      'an ipBlock beside a selector',
      { ingress: [{ from: [{ ipBlock: { cidr: '10.0.0.0/8' }, podSelector: {} }] }] },
      'spec.ingress.0.from.0 ',
    ],
    ['a port out of range', port({ port: 99_999 }), 'spec.egress.0.ports.0.port '],
    ['a number in quotes as the name of a port', port({ port: '80' }), 'spec.egress.0.ports.0.port "80" '],
    [
      'a range that ends before it begins',
      port({ port: 90, endPort: 80 }),
      'spec.egress.0.ports.0.endPort 80 ',
    ],
    [
      'a range after the name of a port',
      port({ port: 'http', endPort: 80 }),
      'spec.egress.0.ports.0.endPort 80 ',
    ],
    [
      'an address without a prefix',
      cidr({ cidr: '10.0.0.1' }),
      'spec.egress.0.to.0.ipBlock.cidr "10.0.0.1" ',
    ],
    ['an octet over 255', cidr({ cidr: '10.0.0.256/32' }), 'spec.egress.0.to.0.ipBlock.cidr '],
    [
      'an exception outside the range',
      cidr({ cidr: '10.0.0.0/8', except: ['11.0.0.0/8'] }),
      'spec.egress.0.to.0.ipBlock.except.0 ',
    ],
    [
      'an operator without values',
      { podSelector: { matchExpressions: [{ key: 'x', operator: 'In' }] } },
      'spec.podSelector.matchExpressions.0.values ',
    ],
    [
      'an unknown operator',
      { podSelector: { matchExpressions: [{ key: 'x', operator: 'Near' }] } },
      'spec.podSelector.matchExpressions.0.operator "Near" ',
    ],
    [
      'a label that is not one',
      { podSelector: { matchLabels: { 'a@b': 'x' } } },
      'spec.podSelector.matchLabels.a@b ',
    ],
    [
      'a boolean as the value of a label',
      { podSelector: { matchLabels: { a: true } } },
      'spec.podSelector.matchLabels.a true ',
    ],
  ])('Kubernetes: %s', (_, spec, field) => {
    expect(() => policies(kubernetes('a', { podSelector: {}, ...spec }))).toThrow(
      `0.yaml: NetworkPolicy a/test: ${field}`,
    );
  });

  test.each<[string, object, string]>([
    ['an unknown action', rule({ action: 'Permit' }), 'spec.egress.0.action "Permit" '],
    ['a protocol in lower case', rule({ protocol: 'tcp' }), 'spec.egress.0.protocol "tcp" '],
    ['ports without a protocol', rule({ destination: { ports: [80] } }), 'spec.egress.0.destination.ports '],
    [
      'ports of ICMP',
      rule({ protocol: 'ICMP', destination: { ports: [80] } }),
      'spec.egress.0.destination.ports ',
    ],
    ['port 0', tcpTo({ ports: [0] }), 'spec.egress.0.destination.ports.0 0 '],
    [
      'a range of ports that ends before it begins',
      tcpTo({ ports: ['90:80'] }),
      'spec.egress.0.destination.ports.0 "90:80" ',
    ],
    [
      'an address without a prefix',
      rule({ destination: { nets: ['8.8.8.8'] } }),
      'spec.egress.0.destination.nets.0 "8.8.8.8" ',
    ],
    [
      'a range with bits after the prefix',
      rule({ destination: { nets: ['10.1.2.3/8'] } }),
      'spec.egress.0.destination.nets.0 "10.1.2.3/8" has bits after the prefix; use 10.0.0.0/8',
    ],
    [
      'ranges of both IP versions',
      rule({ source: { nets: ['::/0'] }, destination: { nets: ['10.0.0.0/8'] } }),
      'spec.egress.0.destination.nets ',
    ],
    [
      'an IP version that contradicts a range',
      rule({ ipVersion: 6, destination: { nets: ['10.0.0.0/8'] } }),
      'spec.egress.0.destination.nets ',
    ],
    [
      'the exclusion of every address',
      rule({ destination: { notNets: ['0.0.0.0/0'] } }),
      'spec.egress.0.destination.notNets.0 ',
    ],
    ['an ICMP type without the protocol', rule({ icmp: { type: 8 } }), 'spec.egress.0.icmp '],
    ['HTTP in an egress rule', rule({ http: { methods: ['GET'] } }), 'spec.egress.0.http '],
    [
      'a Service as the source of an egress rule',
      rule({ source: { services: { name: 'x' } } }),
      'spec.egress.0.source.services ',
    ],
    [
      'a Service without a name',
      rule({ destination: { services: {} } }),
      'spec.egress.0.destination.services.name ',
    ],
    [
      'a Service beside a selector',
      rule({ destination: { services: { name: 'x' }, selector: 'all()' } }),
      'spec.egress.0.destination.services ',
    ],
    [
      'domains of Calico Enterprise',
      rule({ destination: { domains: ['x.org'] } }),
      'spec.egress.0.destination.domains is a field of Calico Enterprise',
    ],
    [
      'a selector that ends unexpectedly',
      { serviceAccountSelector: 'x' },
      'spec.serviceAccountSelector "x" ends unexpectedly',
    ],
    ['one = in a selector', { selector: 'app = "web"' }, 'spec.selector '],
    ['an unknown call in a selector', { selector: 'nearby()' }, 'spec.selector "nearby()" '],
    ['global() outside a namespaceSelector', { selector: 'global()' }, 'spec.selector "global()" '],
    [
      'global() beside another selector',
      rule({ source: { namespaceSelector: 'global() || all()' } }),
      'spec.egress.0.source.namespaceSelector ',
    ],
    ['a type twice', { types: ['Egress', 'Egress'] }, 'spec.types '],
  ])('Calico: %s', (_, spec, field) => {
    expect(() => policies(calico('NetworkPolicy', 'a', spec))).toThrow(
      `0.yaml: NetworkPolicy a/test: ${field}`,
    );
  });

  test.each<[string, string, RegExp]>([
    [
      'another vendor’s policy',
      '{ apiVersion: cilium.io/v2, kind: CiliumNetworkPolicy, metadata: { name: x, namespace: a } }',
      /0\.yaml: CiliumNetworkPolicy a\/x of cilium\.io\/v2 cannot be replayed/,
    ],
    [
      'a removed version',
      '{ apiVersion: extensions/v1beta1, kind: NetworkPolicy, metadata: { name: x, namespace: a } }',
      /of extensions\/v1beta1 cannot be replayed; use NetworkPolicy of networking\.k8s\.io\/v1 or/,
    ],
    [
      'no version',
      '{ kind: NetworkPolicy, metadata: { name: x, namespace: a } }',
      /NetworkPolicy a\/x has no apiVersion/,
    ],
    [
      'a kind in lower case',
      '{ apiVersion: networking.k8s.io/v1, kind: networkpolicy, metadata: { name: x } }',
      /networkpolicy x of networking\.k8s\.io\/v1 cannot be replayed; use NetworkPolicy/,
    ],
    [
      'a list instead of an object',
      '[{ apiVersion: networking.k8s.io/v1, kind: NetworkPolicy }]',
      /0\.yaml is a list/,
    ],
    ['a Service alone', '{ apiVersion: v1, kind: Service, metadata: { name: x } }', /no policies found/],
    ['plain text', 'just text', /no policies found/],
    ['nothing', '# nothing\n', /no policies found/],
    ['broken YAML', 'a: [', /0\.yaml is not valid YAML/],
    [
      'a template of a policy',
      'kind: NetworkPolicy\nmetadata: {{ .Values.x }}-y\n',
      /it looks like a Helm template: use the output of helm template/,
    ],
    ['a key twice', 'kind: NetworkPolicy\nkind: NetworkPolicy\n', /separate two objects with a line ---/],
    [
      'a name with a variable',
      kubernetes('a', {}).replace('"test"', '"${APP}-x"'),
      /metadata\.name "\$\{APP\}-x" is not a DNS name/,
    ],
    [
      'no namespace',
      '{ apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: { name: x }, spec: { podSelector: {} } }',
      /0\.yaml: NetworkPolicy x has no metadata\.namespace; add it, or use --namespace/,
    ],
    [
      'preDNAT without applyOnForward',
      calico('GlobalNetworkPolicy', undefined, { preDNAT: true }),
      /GlobalNetworkPolicy test: spec\.applyOnForward /,
    ],
    [
      'several tiers without manifests',
      ['wave1', 'wave2'].map((tier) => calico('NetworkPolicy', 'a', { tier }, `${tier}.test`)).join('\n'),
      /tier wave1 .*Tier manifest[^]*tier wave2/,
    ],
    [
      'two versions of one object',
      [{}, { policyTypes: ['Egress'] }].map((spec) => kubernetes('a', spec)).join('\n'),
      /document 2: NetworkPolicy a\/test differs from the one in 0\.yaml, document 1/,
    ],
  ])('%s', (_, text, problem) => {
    expect(() => policies(text)).toThrow(problem);
  });

  test('all problems of all files together', () => {
    expect(() => policies('kind: NetworkPolicy\na: [', 'kind: x', kubernetes('a', { x: 1, y: 2 }))).toThrow(
      /0\.yaml is not valid YAML[^]*2\.yaml: .*: spec\.x [^]*2\.yaml: .*: spec\.y /,
    );
  });
});

describe('drift', () => {
  test('lists allowed peers and ports that were never used, and used ones that are not allowed', () => {
    const policy = kubernetes('a', {
      podSelector: {},
      policyTypes: ['Egress'],
      egress: [
        {
          to: ['b', 'c'].map((name) => ({
            namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': name } },
          })),
          ports: [{ port: 80 }],
        },
        { to: [{ podSelector: { matchLabels: { app: 'web' } } }] },
      ],
    });
    const found = drift(policies(policy), [
      fact('a', 'b', 'tcp 80'),
      fact('a', 'd', 'tcp 80'),
      fact('a', 'a', 'tcp 1'),
    ]);
    expect(found.unused.map(({ rule }) => rule)).toEqual([
      'egress rule 0: to namespaces kubernetes.io/metadata.name=c, TCP 80',
    ]);
    expect(found.perhapsUnused.map(({ rule }) => rule)).toEqual([
      'egress rule 1: to namespace a pods app=web, all ports',
    ]);
    expect(brief(found.notAllowed)).toEqual(['egress a -> d tcp 80']);
  });

  test('denied flows do not count as use', () => {
    expect(drift(policies(onlyB), [fact('a', 'b', 'tcp 80', { action: 'deny' })]).unused).toHaveLength(1);
  });
});

describe.each<PolicyKind>([
  'NetworkPolicy',
  'CalicoNetworkPolicy',
  'StagedNetworkPolicy',
  'StagedKubernetesNetworkPolicy',
])('the %s derived from the capture', (kind) => {
  const evidence = captureEvidence();
  const files = (facts: readonly FlowEvidence[]) =>
    emitPolicies(
      deriveAllowlist(facts, () => complete, { ...egress, directions: ['egress', 'ingress'] }),
      {
        kind,
        tier: 'default',
        order: 100,
        identityLabel: label,
        clusterName: '',
        periodText: 'once',
        showExternals: true,
      },
    ).map(({ path, content }) => ({ path, text: content }));

  test('denies nothing in its replay except externals and unsupported traffic, and allows nothing that was only denied', () => {
    const { wouldDeny, wouldAllow, undecided } = replay(compilePolicies(files(evidence), identity), evidence);
    const inside = wouldDeny.filter(
      ({ src, dst, port }) => !/pub|pvt|host|network set/.test(`${src} ${dst}`) && !port.startsWith('icmp'),
    );
    expect(inside).toEqual([]);
    // Traffic that was both allowed and denied is allowed, with a warning in the policy.
    const warnings = files(evidence)
      .map(({ text }) => text)
      .join('');
    for (const { direction, src, dst, port } of wouldAllow)
      expect(warnings).toContain(
        `${direction} ${direction === 'egress' ? `to ${dst}` : `from ${src}`} ${port} was both allowed and denied`,
      );
    expect(undecided.filter(({ src, dst }) => !/network set|host/.test(`${src} ${dst}`))).toEqual([]);
    expect(wouldDeny.length).toBeGreaterThan(0);
  });

  test('has no rule that was never used', () => {
    const found = drift(compilePolicies(files(evidence), identity), evidence);
    expect(found.unused).toEqual([]);
  });
});

describe('a flow without a service identity', () => {
  const onlyX = policies(
    kubernetes('a', {
      podSelector: { matchLabels: { [label]: 'x' } },
      policyTypes: ['Egress'],
      egress: [
        {
          to: [
            {
              namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'b' } },
              podSelector: { matchLabels: { [label]: 'y' } },
            },
          ],
        },
      ],
    }),
  );
  const facts = [fact('a/x', 'b', 'tcp 80'), fact('a', 'c', 'tcp 80')];

  test('counts as a flow of pods without the label', () => {
    const { wouldDeny, undecided } = replay(onlyX, facts);
    expect(brief(wouldDeny)).toEqual(['egress a/x -> b tcp 80']);
    expect(undecided).toEqual([]);
    expect(drift(onlyX, facts).unused).toHaveLength(1);
  });

  test('has an unknown verdict if its namespace has more identities than are stored', () => {
    const marked = markUnknownIdentities(facts, new Set(['a', 'b']));
    const { wouldDeny, undecided } = replay(onlyX, marked);
    expect(wouldDeny).toEqual([]);
    expect(brief(undecided)).toEqual(['egress a -> c tcp 80', 'egress a/x -> b tcp 80']);
    const { unused, perhapsUnused } = drift(onlyX, marked);
    expect([unused.length, perhapsUnused.length]).toEqual([0, 1]);
  });

  test('still has a verdict if it does not depend on the identity', () => {
    const marked = markUnknownIdentities(facts, new Set(['a', 'b', 'c']));
    const all = replay(policies(kubernetes('a', { podSelector: {}, policyTypes: ['Egress'] })), marked);
    expect(brief(all.wouldDeny)).toEqual(['egress a -> c tcp 80', 'egress a/x -> b tcp 80']);
    expect(all.undecided).toEqual([]);
  });
});
