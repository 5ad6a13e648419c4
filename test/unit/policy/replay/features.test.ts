import { describe, expect, test } from 'vitest';
import { decide } from '../../../../src/policy/replay/decide.ts';
import { compilePolicies } from '../../../../src/policy/replay/policy-set.ts';
import { drift } from '../../../../src/policy/replay/drift.ts';
import { fact } from '../derive/facts.ts';

const identity = { label: 'service-identity', namespaces: 'all' as const };
const v3 = 'projectcalico.org/v3';
const network = (name: 'pub' | 'pvt') => ({ kind: 'network' as const, ns: '', identity: name });
const pod = (ns: string, name = '') => ({ kind: 'workload' as const, ns, identity: name });

function set(...objects: object[]) {
  return compilePolicies(
    [{ path: 'x.json', text: JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }) }],
    identity,
  );
}

function verdict(objects: object[], flow: Partial<Parameters<typeof decide>[2]> = {}) {
  return decide(set(...objects), 'egress', {
    src: pod('a'),
    dst: pod('b'),
    protocol: 'tcp',
    port: 80,
    ...flow,
  });
}

const calico = (kind: string, spec: object, name = 'x') => ({
  apiVersion: v3,
  kind,
  metadata: { name, ...(kind.includes('Global') || kind === 'Tier' ? {} : { namespace: 'a' }) },
  spec,
});
const egress = (...rules: object[]) => calico('NetworkPolicy', { types: ['Egress'], egress: rules });
const kubernetes = (...to: object[]) => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: { name: 'x', namespace: 'a' },
  spec: { podSelector: {}, policyTypes: ['Egress'], egress: [{ to }] },
});
const blocks = (...cidrs: string[]) => kubernetes(...cidrs.map((cidr) => ({ ipBlock: { cidr } })));

test('rules are numbered as in the manifest and in policy traces, Log rules included', () => {
  expect(verdict([egress({ action: 'Log' }, { action: 'Deny' })]).by).toMatch(/rule 1$/);
});

describe('service accounts are not stored', () => {
  const from = (...names: string[]) => ({ source: { serviceAccounts: { names } } });

  test('a rule for one account is undecided', () => {
    expect(verdict([egress({ action: 'Allow', ...from('web') })]).verdict).toBe('unknown');
    expect(
      verdict([egress({ action: 'Allow', source: { serviceAccounts: { selector: "role == 'x'" } } })])
        .verdict,
    ).toBe('unknown');
    expect(
      verdict([{ ...calico('NetworkPolicy', { serviceAccountSelector: "role == 'x'", types: ['Egress'] }) }])
        .verdict,
    ).toBe('unknown');
  });
  test('rules that allow every account are decided, because every pod has exactly one', () => {
    const rules = [
      { action: 'Allow', ...from('web') },
      { action: 'Allow', source: { serviceAccounts: { selector: "projectcalico.org/name != 'web'" } } },
    ];
    expect(verdict([egress(...rules)]).verdict).toBe('allow');
    expect(
      verdict([egress({ action: 'Allow', source: { selector: 'has(projectcalico.org/serviceaccount)' } })])
        .verdict,
    ).toBe('allow');
  });
  test('in a namespaced policy, an account restricts a rule to its namespace', () => {
    const to = { destination: { serviceAccounts: { names: ['web'] } } };
    expect(verdict([egress({ action: 'Allow', ...to })]).verdict).toBe('deny');
  });
});

describe('the endpoints of Services are not stored', () => {
  const to = { action: 'Allow', destination: { services: { name: 'kubernetes', namespace: 'default' } } };
  test('a rule for a Service is undecided', () => {
    expect(verdict([egress(to)]).verdict).toBe('unknown');
    expect(verdict([egress(to)], { dst: network('pvt') }).verdict).toBe('unknown');
  });
  test('but its endpoints have ports, so that it does not match a protocol without them', () => {
    expect(verdict([egress(to)], { protocol: 'icmp', port: 0 }).verdict).toBe('deny');
  });
});

test('policies for host endpoints do not select pods', () => {
  for (const field of ['doNotTrack', 'preDNAT']) {
    const spec = { [field]: true, applyOnForward: true, types: ['Ingress'] };
    const policies = set(calico('GlobalNetworkPolicy', spec));
    expect(
      decide(policies, 'ingress', { src: pod('a'), dst: pod('b'), protocol: 'tcp', port: 80 }).verdict,
    ).toBe('open');
  }
  expect(verdict([calico('GlobalNetworkPolicy', { applyOnForward: true, types: ['Egress'] })]).verdict).toBe(
    'deny',
  );
});

test('HTTP fields do not restrict connections', () => {
  const rule = { action: 'Allow', http: { methods: ['GET'], paths: [{ prefix: '/' }] } };
  const policies = set(calico('NetworkPolicy', { ingress: [rule] }));
  expect(
    decide(policies, 'ingress', { src: pod('b'), dst: pod('a'), protocol: 'tcp', port: 80 }).verdict,
  ).toBe('allow');
});

test('a notSelector reduces what a selector selects, and excludes no address that the selector covers', () => {
  const everywhere = {
    apiVersion: v3,
    kind: 'GlobalNetworkSet',
    metadata: { name: 'world', labels: { role: 'world' } },
    spec: { nets: ['0.0.0.0/0'] },
  };
  const rule = (destination: object) => egress({ action: 'Allow', destination });
  const outside = { notSelector: '!has(projectcalico.org/namespace)' };
  expect(verdict([everywhere, rule({ ...outside, namespaceSelector: 'all()' })]).verdict).toBe('allow');
  expect(
    verdict([
      everywhere,
      calico('GlobalNetworkPolicy', {
        types: ['Egress'],
        egress: [{ action: 'Allow', destination: outside }],
      }),
    ]).verdict,
  ).toBe('deny');
});

describe('cluster-wide policies of the Kubernetes network policy API', () => {
  const cluster = (tier: string, rule: object) => ({
    apiVersion: 'policy.networking.k8s.io/v1alpha2',
    kind: 'ClusterNetworkPolicy',
    metadata: { name: tier.toLowerCase() },
    spec: { tier, priority: 10, subject: { namespaces: {} }, egress: [rule] },
  });
  const toB = { to: [{ namespaces: { matchLabels: { 'kubernetes.io/metadata.name': 'b' } } }] };
  const admin = (kind: string, spec: object) => ({
    apiVersion: 'policy.networking.k8s.io/v1alpha1',
    kind,
    metadata: { name: 'default' },
    spec: { subject: { namespaces: {} }, ...spec },
  });

  test('tier Admin decides before other policies, and tier Baseline after them', () => {
    const deny = egress();
    expect(verdict([cluster('Admin', { action: 'Accept', ...toB }), deny]).verdict).toBe('allow');
    expect(verdict([cluster('Admin', { action: 'Pass', ...toB }), deny]).verdict).toBe('deny');
    expect(verdict([cluster('Baseline', { action: 'Accept', ...toB }), deny]).verdict).toBe('deny');
    expect(verdict([cluster('Baseline', { action: 'Deny', ...toB })]).verdict).toBe('deny');
    expect(verdict([cluster('Baseline', { action: 'Deny', ...toB })], { dst: pod('c') }).verdict).toBe(
      'open',
    );
  });
  test('ports, ranges and named ports', () => {
    const tcp = (destinationPort: object) => ({
      action: 'Deny',
      ...toB,
      protocols: [{ tcp: { destinationPort } }],
    });
    expect(verdict([cluster('Admin', tcp({ number: 80 }))]).verdict).toBe('deny');
    expect(verdict([cluster('Admin', tcp({ range: { start: 81, end: 90 } }))]).verdict).toBe('open');
    expect(
      verdict([cluster('Admin', { action: 'Deny', ...toB, protocols: [{ destinationNamedPort: 'web' }] })])
        .verdict,
    ).toBe('unknown');
  });
  test('rules for nodes: Calico drops those that accept and denies everything for the others', () => {
    const nodes = { to: [{ nodes: {} }] };
    expect(verdict([cluster('Admin', { action: 'Accept', ...nodes })]).verdict).toBe('open');
    expect(verdict([cluster('Admin', { action: 'Deny', ...nodes })]).verdict).toBe('deny');
  });
  test('the predecessors of Calico 3.30 and 3.31', () => {
    const rule = { action: 'Allow', ...toB, ports: [{ portNumber: { protocol: 'TCP', port: 80 } }] };
    expect(verdict([admin('AdminNetworkPolicy', { priority: 1, egress: [rule] }), egress()]).verdict).toBe(
      'allow',
    );
    expect(
      verdict([admin('BaselineAdminNetworkPolicy', { egress: [{ ...rule, action: 'Deny' }] })]).verdict,
    ).toBe('deny');
  });
  test('their tiers need no manifest', () => {
    const exported = calico(
      'GlobalNetworkPolicy',
      { tier: 'adminnetworkpolicy', order: 1, types: ['Egress'] },
      'kanp.adminnetworkpolicy.x',
    );
    expect(verdict([exported]).verdict).toBe('open');
  });
});

describe('enforcing a staged policy', () => {
  const staged = (stagedAction: string, spec = {}) =>
    calico('StagedNetworkPolicy', { stagedAction, ...spec });
  const allowing = egress({ action: 'Allow' });

  test('replaces the enforced policy of the same name', () => {
    const policies = set(allowing, staged('Set', { types: ['Egress'] }));
    expect(
      decide(policies, 'egress', { src: pod('a'), dst: pod('b'), protocol: 'tcp', port: 80 }).verdict,
    ).toBe('deny');
    expect(policies.notes).toHaveLength(1);
  });
  test('with stagedAction Delete removes it', () => {
    expect(verdict([egress(), staged('Delete')]).verdict).toBe('open');
  });
  test('with Learn or Ignore changes nothing', () => {
    expect(verdict([allowing, staged('Ignore', { types: ['Egress'] })]).verdict).toBe('allow');
    expect(verdict([allowing, staged('Learn', { types: ['Egress'] })]).verdict).toBe('allow');
  });
});

describe('policies of the same order', () => {
  const named = (name: string, action: string, kind = 'GlobalNetworkPolicy') =>
    calico(kind, { types: ['Egress'], egress: [{ action }] }, name);

  test('of one kind and namespace are evaluated by name', () => {
    expect(verdict([named('b', 'Deny'), named('a', 'Allow')]).verdict).toBe('allow');
    expect(verdict([named('b', 'Allow'), named('a', 'Deny')]).verdict).toBe('deny');
    expect(verdict([named('b', 'Allow', 'NetworkPolicy'), named('a', 'Deny', 'NetworkPolicy')]).verdict).toBe(
      'deny',
    );
    expect(verdict([named('b', 'Deny', 'StagedGlobalNetworkPolicy'), named('a', 'Allow')]).verdict).toBe(
      'allow',
    );
  });
  test('are undecided if versions of Calico compare their names differently', () => {
    expect(verdict([named('a', 'Deny'), named('a-b', 'Allow')]).verdict).toBe('unknown');
    expect(verdict([named('default.y', 'Deny'), named('x', 'Allow')]).verdict).toBe('unknown');
    expect(verdict([named('a', 'Deny'), named('b', 'Allow', 'NetworkPolicy')]).verdict).toBe('unknown');
  });
});

describe('addresses', () => {
  test('several ranges that together contain every possible address are decided', () => {
    const privateBlocks = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16'];
    expect(verdict([blocks(...privateBlocks)], { dst: network('pvt') }).verdict).toBe('allow');
    expect(verdict([blocks(...privateBlocks.slice(1))], { dst: network('pvt') }).verdict).toBe('unknown');
    expect(verdict([blocks('0.0.0.0/1', '128.0.0.0/1')], { dst: network('pub') }).verdict).toBe('allow');
    expect(verdict([blocks(...privateBlocks)], { dst: network('pub') }).verdict).toBe('deny');
  });
  test('ICMPv6 is not in a range of IPv4 addresses', () => {
    const icmp6 = { dst: network('pub'), protocol: 'icmp6', port: 0 };
    expect(verdict([blocks('0.0.0.0/0')], icmp6).verdict).toBe('deny');
    expect(verdict([blocks('::/0')], icmp6).verdict).toBe('allow');
  });
  test('in a cluster with IPv6, a flow may be of either version', () => {
    const pub = { dst: network('pub') };
    expect(verdict([blocks('0.0.0.0/0')], pub).verdict).toBe('allow');
    expect(verdict([blocks('0.0.0.0/0', 'fd00::/8')], pub).verdict).toBe('unknown');
    expect(verdict([blocks('0.0.0.0/0', '::/0')], pub).verdict).toBe('allow');
    expect(
      verdict(
        [egress({ action: 'Allow', ipVersion: 4 }, { action: 'Allow', ipVersion: 6 }), blocks('::/0')],
        pub,
      ).verdict,
    ).toBe('allow');
    expect(verdict([blocks('10.0.0.0/8', '::/0')], { dst: network('pvt') }).verdict).toBe('unknown');
  });
  test('a cluster counts as IPv4 if nothing names an IPv6 range, with a note, unless an option says otherwise', () => {
    const files = [{ path: 'x.json', text: JSON.stringify(blocks('0.0.0.0/0')) }];
    const flow = { src: pod('a'), dst: network('pub'), protocol: 'tcp', port: 443 };
    expect(compilePolicies(files, identity).notes).toHaveLength(1);
    const policies = compilePolicies(files, identity, { ipv6: true });
    expect(policies.notes).toEqual([]);
    expect(decide(policies, 'egress', flow).verdict).toBe('unknown');
  });
  test('drift counts a rule as used only if every possible version matches it', () => {
    const found = (...cidrs: string[]) => drift(set(blocks(...cidrs)), [fact('a', 'pub', 'tcp 443')]);
    expect(found('0.0.0.0/0')).toMatchObject({ unused: [], perhapsUnused: [] });
    expect(found('::/0').perhapsUnused).toHaveLength(1);
  });
});

describe('the labels of namespaces are taken from their manifests', () => {
  const namespace = (metadata: object) => ({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: 'b', ...metadata },
  });
  const toTeam = (team: string) => kubernetes({ namespaceSelector: { matchLabels: { team } } });
  const byTeam = (objects: object[], team: string) => verdict([...objects, toTeam(team)]).verdict;

  test('a label in a manifest is known', () => {
    const files = [namespace({ labels: { team: 'x' } })];
    expect(byTeam([], 'x')).toBe('unknown');
    expect(byTeam(files, 'x')).toBe('allow');
    expect(byTeam(files, 'y')).toBe('deny');
    const rule = { action: 'Allow', destination: { namespaceSelector: "team == 'x'" } };
    expect(verdict([...files, egress(rule)]).verdict).toBe('allow');
  });
  test('a missing label is absent in the output of the API server; to a manifest, others may be added', () => {
    expect(byTeam([namespace({})], 'x')).toBe('unknown');
    expect(byTeam([namespace({ uid: 'c0ffee' })], 'x')).toBe('deny');
    expect(byTeam([namespace({ uid: 'c0ffee', labels: null })], 'x')).toBe('deny');
  });
});

test('a range of all ports contains "many" ports', () => {
  const rule = (port: string) => egress({ action: 'Allow', protocol: 'TCP', destination: { ports: [port] } });
  expect(verdict([rule('1:65535')], { port: -1 }).verdict).toBe('allow');
  expect(verdict([rule('1:1024')], { port: -1 }).verdict).toBe('unknown');
});
