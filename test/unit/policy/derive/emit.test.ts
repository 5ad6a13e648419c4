import { describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { deriveAllowlist } from '../../../../src/policy/derive/derive.ts';
import { emitPolicies, type EmitOptions, type PolicyKind } from '../../../../src/policy/derive/emit.ts';
import type { DeriveOptions, NamespaceStatus } from '../../../../src/policy/derive/model.ts';
import type { FlowEvidence } from '../../../../src/trail/facts/evidence.ts';
import { complete, egress, fact } from './facts.ts';
import { uncomment } from './stubs.ts';

const kinds: readonly PolicyKind[] = [
  'NetworkPolicy',
  'CalicoNetworkPolicy',
  'StagedNetworkPolicy',
  'StagedKubernetesNetworkPolicy',
];

function emit(
  facts: readonly FlowEvidence[],
  kind: PolicyKind,
  { status = complete, ...change }: Partial<DeriveOptions & EmitOptions & { status: NamespaceStatus }> = {},
): string {
  const derived = deriveAllowlist(facts, () => status, { ...egress, ...change });
  const options = {
    kind,
    tier: 'default',
    order: undefined,
    identityLabel: 'service-identity',
    clusterName: '',
    periodText: 'on 2026-11-22 (UTC)',
    showExternals: true,
    ...change,
  };
  return emitPolicies(derived, options)
    .map(({ content }) => content)
    .join('---\n');
}

const manifest = z.looseObject({
  metadata: z.looseObject({ name: z.string(), namespace: z.string() }),
  spec: z.looseObject({
    policyTypes: z.array(z.string()).optional(),
    types: z.array(z.string()).optional(),
    egress: z
      .array(
        z.looseObject({
          protocol: z.unknown().optional(),
          destination: z.unknown().optional(),
          metadata: z.looseObject({ annotations: z.record(z.string(), z.string()) }).optional(),
        }),
      )
      .optional(),
    ingress: z.array(z.looseObject({})).optional(),
  }),
});

function read(text: string): z.infer<typeof manifest>[] {
  return parseAllDocuments(text).map((document) => {
    expect(document.errors).toEqual([]);
    return manifest.parse(document.toJS());
  });
}

describe.each(kinds)('every %s', (kind) => {
  test('states in its first line that a namespace is still learning', () => {
    const learning = { ...complete, verdict: 'learning' as const, coveredDays: 2.5 };
    const [first] = emit([fact('a', 'b', 'tcp 80')], kind, { status: learning }).split('\n');
    expect(first).toMatch(/^# LEARNING \(2\.5 of 7 covered days\).*Do not enforce it/);
  });

  test('lists its gaps with their causes', () => {
    const gaps = [{ fromSeconds: 0, toSeconds: 3_600, cause: 'Goldmane was down' }];
    const text = emit([fact('a', 'b', 'tcp 80')], kind, { status: { ...complete, gaps } });
    expect(text).toContain('# Gap: 1970-01-01T00:00Z to 1970-01-01T01:00Z, Goldmane was down\n');
  });

  test('has the evidence above each port: first and last seen, days, flows', () => {
    const text = emit(
      [fact('a', 'b', 'tcp 80', { firstSeconds: 60, lastSeconds: 86_460, days: [0, 1], flowCount: 7 })],
      kind,
    );
    expect(text).toContain('# first seen 1970-01-01T00:01Z, last seen 1970-01-02T00:01Z, 2 days, 7 flows\n');
  });

  test('has explicit policy types', () => {
    const [policy] = read(emit([fact('a', 'b', 'tcp 80')], kind));
    expect(policy?.spec.policyTypes ?? policy?.spec.types).toEqual(['Egress']);
  });

  test.each(['pub', 'pvt', 'host'])('never turns %s into a rule, but into a stub to complete', (name) => {
    const text = emit([fact('a', 'b', 'tcp 80'), fact('a', name, 'tcp 443')], kind);
    expect(JSON.stringify(read(text))).not.toMatch(/443|0\.0\.0\.0|10\.0\.0\.0|192\.168|172\.16/);
    expect(text).toMatch(/# # egress to .*, tcp 443: .*\n *# - \{.*FILL-IN/);
  });

  test('counts externals among the denied traffic even if they are not listed', () => {
    const facts = [fact('a', 'b', 'tcp 80'), fact('a', 'pub', 'tcp 443', { flowCount: 12 })];
    const text = emit(facts, kind, { showExternals: false });
    expect(text).not.toMatch(/FILL-IN|Left out/);
    expect(text).toMatch(/^# Warning: denies 12 flows that are allowed today.*egress pub \(1\)$/m);
  });

  test('counts currently allowed traffic that it does not allow, in its second line and its annotations', () => {
    const facts = [
      fact('a', 'b', 'tcp 80'),
      fact('a', 'pub', 'tcp 443', { flowCount: 2 }),
      fact('a', 'pub', 'tcp 80', { flowCount: 3 }),
      fact('a', 'pvt', 'tcp 6443', { flowCount: 5 }),
      fact('a', 'host', 'udp 161', { flowCount: 7 }),
      fact('a', 'c', 'tcp -1', { flowCount: 11 }),
      fact('a', 'd', 'tcp 1', { flowCount: 1_000, action: 'deny' }),
    ];
    const text = emit(facts, kind);
    const [first, second] = text.split('\n');
    expect(first).toMatch(/^# COMPLETE .*denies traffic that is allowed today/);
    expect(second).toMatch(
      /^# Warning: denies 28 flows .* in 5 combinations .*: egress hosts \(1\), egress more ports than PORT_CAP \(1\), egress pub \(2\), egress pvt \(1\)$/,
    );
    expect(read(text)[0]?.metadata['annotations']).toMatchObject({
      'flow-trail/left-out': '5',
      'flow-trail/left-out-flows': '28',
    });
  });

  test('has no such warning if it allows all of it', () => {
    const text = emit([fact('a', 'b', 'tcp 80'), fact('a', 'c', 'tcp 81', { action: 'deny' })], kind);
    expect(text).not.toMatch(/denies/);
    expect(text).toContain('flow-trail/left-out: "0"');
  });

  test('names a direction that it denies completely, with the number of its flows', () => {
    const webhook = fact('host', 'a', 'tcp 9443', { reporter: 'dst', flowCount: 9 });
    const text = emit([fact('a', 'b', 'tcp 80'), webhook], kind, { directions: ['egress', 'ingress'] });
    expect(text).toMatch(/^# Warning: denies all ingress; 9 flows were seen$/m);
    expect(text).not.toMatch(/denies all egress/);
  });

  test('explains pub and pvt if they occur', () => {
    expect(emit([fact('a', 'pub', 'tcp 443')], kind)).toMatch(/^# pub: .*without a known endpoint/m);
    expect(emit([fact('a', 'pvt', 'tcp 443')], kind)).toMatch(/^# pvt: .*API server/m);
    expect(emit([fact('a', 'b', 'tcp 443')], kind)).not.toMatch(/^# p(ub|vt):/m);
  });

  const externals = [
    fact('a', 'pub', 'tcp 443'),
    fact('a', 'host', 'udp 161'),
    fact('a', 'pvt', 'sctp 36412'),
    fact('a', 'pub', 'tcp -1'),
    fact('a', 'pub', 'icmp 0'),
    fact('a', 'pub', 'udplite 9'),
    fact('a', 'pub', '47 0'),
    fact('a', 'pub', 'tcp 0'),
    fact('host', 'a', 'tcp 9443', { reporter: 'dst' }),
    fact('pvt', 'a', 'icmp 0', { reporter: 'dst' }),
  ];
  test.each([
    ['both directions have no rule', []],
    ['egress has rules', [fact('a', 'b', 'tcp 80')]],
    ['ingress has rules', [fact('b', 'a', 'tcp 80', { reporter: 'dst' })]],
  ])('has stubs that become rules of their direction when uncommented, if %s', (_what, observed) => {
    const text = emit([...observed, ...externals], kind, { directions: ['egress', 'ingress'] });
    const [before] = read(text);
    const [after] = read(uncomment(text));
    const isCalico = kind === 'CalicoNetworkPolicy' || kind === 'StagedNetworkPolicy';
    const added = (direction: 'egress' | 'ingress') =>
      (after?.spec[direction] ?? []).slice(before?.spec[direction]?.length ?? 0);
    expect(added('egress')).toHaveLength(isCalico ? 6 : 4);
    expect(added('ingress')).toHaveLength(isCalico ? 2 : 1);
    for (const direction of ['egress', 'ingress'] as const)
      for (const rule of added(direction)) {
        const { action, to, from, source, destination } = rule;
        const end = direction === 'egress' ? (to ?? destination) : (from ?? source);
        expect(JSON.stringify(end)).toContain('192.0.2.1/32');
        expect(action).toBe(isCalico ? 'Allow' : undefined);
      }
  });

  test('lists currently denied traffic without allowing it', () => {
    const text = emit([fact('a', 'b', 'tcp 80'), fact('a', 'c', 'tcp 81', { action: 'deny' })], kind);
    expect(text).toMatch(/# Left out: egress to c, tcp 81: currently denied by policy/);
    expect(JSON.stringify(read(text))).not.toContain('81');
  });

  test('marks a rule for all ports as wider than observed', () => {
    const text = emit([fact('a', 'b', 'tcp -1')], kind, { allowManyPorts: true });
    expect(text).toMatch(/wider than observed: all ports/);
    expect(JSON.stringify(read(text))).not.toMatch(/"ports?":(?:-1|\[-1)/);
  });

  test('round-trips names that look like other YAML types', () => {
    const names = ['on', 'no', 'y', 'null', '1e3', '012', '0x1f', '1-1', 'true'];
    const [policy] = read(
      emit(
        names.map((name) => fact('1e3', name, 'tcp 80')),
        kind,
      ),
    );
    expect(policy?.metadata.namespace).toBe('1e3');
    for (const name of names) expect(JSON.stringify(policy?.spec)).toMatch(new RegExp(`["']${name}["']`));
  });

  test('quotes names that YAML 1.1 reads as other types', () => {
    const text = emit([fact('on', 'b', 'tcp 80')], kind);
    expect(text).toMatch(/namespace: "on"/);
  });
});

test.each(['CalicoNetworkPolicy', 'StagedNetworkPolicy'] as const)(
  'a %s has no port for UDPLite, which Calico rejects, and counts it as missing',
  (kind) => {
    const text = emit([fact('a', 'b', 'udplite 9'), fact('a', 'b', 'udplite -1')], kind, {
      allowManyPorts: true,
    });
    const [policy] = read(text);
    expect(policy?.spec.egress).toEqual([expect.objectContaining({ protocol: 'UDPLite' })]);
    expect(JSON.stringify(policy?.spec.egress)).not.toContain('"ports"');
    expect(text).toMatch(/# Left out: egress to b, udplite 9: Calico accepts ports only for/);
    expect(text).toContain('flow-trail/left-out: "1"');
  },
);

describe('rules that only Calico supports', () => {
  test.each(['NetworkPolicy', 'StagedKubernetesNetworkPolicy'] as const)(
    '%s omits ICMP and states it',
    (kind) => {
      const text = emit([fact('a', 'b', 'icmp 0'), fact('a', 'b', 'tcp 80')], kind);
      expect(text).toMatch(/# Left out: egress to b, icmp: a Kubernetes NetworkPolicy cannot express this/);
      expect(JSON.stringify(read(text))).not.toMatch(/icmp/i);
    },
  );

  test.each(['CalicoNetworkPolicy', 'StagedNetworkPolicy'] as const)(
    '%s allows ICMP without ports',
    (kind) => {
      const [policy] = read(emit([fact('a', 'b', 'icmp 0')], kind));
      expect(policy?.spec.egress?.[0]).toMatchObject({ protocol: 'ICMP' });
      expect(policy?.spec.egress?.[0]?.destination).toEqual({
        selector: "projectcalico.org/orchestrator == 'k8s'",
        namespaceSelector: "projectcalico.org/name == 'b'",
      });
    },
  );

  test('a network set is selected by a label that the rule names, and is omitted in Kubernetes', () => {
    const facts = [fact('a', 'set:ranges', 'tcp 443'), fact('a', 'b', 'tcp 80')];
    const [policy] = read(emit(facts, 'CalicoNetworkPolicy'));
    expect(JSON.stringify(policy)).toContain("flow-trail/network-set == 'ranges'");
    expect(emit(facts, 'NetworkPolicy')).toMatch(/# Left out: egress to network set ranges, tcp 443/);
  });

  test('a protocol number is supported in Calico and omitted in Kubernetes', () => {
    const facts = [fact('a', 'b', '47 0'), fact('a', 'b', 'tcp 80')];
    const [policy] = read(emit(facts, 'CalicoNetworkPolicy'));
    expect(policy?.spec.egress?.map(({ protocol }) => protocol)).toEqual([47, 'TCP']);
    expect(emit(facts, 'NetworkPolicy')).toMatch(/# Left out: egress to b, 47/);
  });

  test('each rule has its evidence in annotations, in case comments are lost', () => {
    const [policy] = read(emit([fact('a', 'b', 'tcp 80', { flowCount: 3 })], 'StagedNetworkPolicy'));
    expect(policy?.spec.egress?.[0]?.metadata?.annotations).toMatchObject({
      'flow-trail/origin': 'observed',
      'flow-trail/days': '2',
      'flow-trail/flows': '3',
    });
  });

  test.each(['CalicoNetworkPolicy', 'StagedNetworkPolicy'] as const)(
    '%s has the requested tier and order, and the tier in its name',
    (kind) => {
      const [policy] = read(emit([fact('a', 'b', 'tcp 80')], kind, { tier: 'wave1', order: 50 }));
      expect(policy).toMatchObject({
        metadata: { name: 'wave1.flow-trail-allowlist' },
        spec: { tier: 'wave1', order: 50 },
      });
    },
  );
});

describe('the name of a policy', () => {
  test('of a service identity that is not a valid object name is unique', () => {
    const texts = ['Y_1', 'y_1', 'y-1', '595f31'].map((identity) =>
      read(emit([fact(`a/${identity}`, 'b', 'tcp 80')], 'NetworkPolicy')).map(
        (policy) => policy.metadata.name,
      ),
    );
    const names = texts.flat();
    expect(new Set(names).size).toBe(4);
    for (const name of names) expect(name).toMatch(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/);
  });
});

test.each(kinds)('a %s names the cluster of its flows, in its header and an annotation', (kind) => {
  const facts = [fact('a', 'b', 'tcp 80')];
  const text = emit(facts, kind, { clusterName: 'homelab' });
  expect(text).toContain('# Cluster: homelab\n');
  expect(text).toMatch(/flow-trail\/cluster"?: "?homelab"?\n/);
  expect(emit(facts, kind)).not.toContain('luster:');
});
