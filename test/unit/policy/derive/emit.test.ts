import { describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { deriveAllowlist } from '../../../../src/policy/derive/derive.ts';
import { emitPolicies, type EmitOptions, type PolicyKind } from '../../../../src/policy/derive/emit.ts';
import type { DeriveOptions, NamespaceStatus } from '../../../../src/policy/derive/model.ts';
import type { FlowEvidence } from '../../../../src/trail/evidence.ts';
import { complete, egress, fact } from './facts.ts';

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
  }),
});

function read(text: string): z.infer<typeof manifest>[] {
  return parseAllDocuments(text).map((document) => {
    expect(document.errors).toEqual([]);
    return manifest.parse(document.toJS());
  });
}

describe.each(kinds)('every %s', (kind) => {
  test('says at its very top that a namespace is still learning', () => {
    const learning = { ...complete, verdict: 'learning' as const, coveredDays: 2.5 };
    const [first] = emit([fact('a', 'b', 'tcp 80')], kind, { status: learning }).split('\n');
    expect(first).toMatch(/^# LEARNING \(2\.5 of 7 covered days\).*Do not enforce it/);
  });

  test('names its gaps, with their causes', () => {
    const gaps = [{ fromSeconds: 0, toSeconds: 3_600, cause: 'Goldmane was away' }];
    const text = emit([fact('a', 'b', 'tcp 80')], kind, { status: { ...complete, gaps } });
    expect(text).toContain('# Gap: 1970-01-01T00:00Z to 1970-01-01T01:00Z, Goldmane was away\n');
  });

  test('says what it rests on above each port: first and last seen, days, flows', () => {
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

  test.each(['pub', 'pvt', 'host'])('never turns %s into a rule, but into a stub to fill in', (name) => {
    const text = emit([fact('a', 'b', 'tcp 80'), fact('a', name, 'tcp 443')], kind);
    expect(JSON.stringify(read(text))).not.toMatch(/443|0\.0\.0\.0|10\.0\.0\.0|192\.168|172\.16/);
    expect(text).toMatch(/# To fill in, egress: .*tcp 443.*\n(?:#.*\n)*#.*FILL-IN/);
  });

  test('says how many flows of externals it does not allow where they are not listed', () => {
    const facts = [fact('a', 'b', 'tcp 80'), fact('a', 'pub', 'tcp 443', { flowCount: 12 })];
    const text = emit(facts, kind, { showExternals: false });
    expect(text).not.toContain('FILL-IN');
    expect(text).toMatch(/# Warning: 12 flows of hosts and externals are not allowed by this policy/);
  });

  test('warns where no rule could be written, because it would deny everything', () => {
    expect(emit([fact('a', 'pub', 'tcp 443')], kind)).toMatch(
      /# Warning: no rule could be written; .*denies everything/,
    );
  });

  test('lists what is blocked, and allows nothing of it', () => {
    const text = emit([fact('a', 'b', 'tcp 80'), fact('a', 'c', 'tcp 81', { action: 'deny' })], kind);
    expect(text).toMatch(/# Left out: to c, tcp 81: policy denies it today/);
    expect(JSON.stringify(read(text))).not.toContain('81');
  });

  test('marks a rule for all ports as wider than observed', () => {
    const text = emit([fact('a', 'b', 'tcp -1')], kind, { allowManyPorts: true });
    expect(text).toMatch(/wider than observed: all ports/);
    expect(JSON.stringify(read(text))).not.toMatch(/"ports?":(?:-1|\[-1)/);
  });

  test('reads back names that YAML could take for something else', () => {
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

  test('quotes names that a reader of YAML 1.1 would take for something else', () => {
    const text = emit([fact('on', 'b', 'tcp 80')], kind);
    expect(text).toMatch(/namespace: "on"/);
  });
});

describe('what only Calico can say', () => {
  test.each(['NetworkPolicy', 'StagedKubernetesNetworkPolicy'] as const)(
    '%s leaves out ICMP, and says so',
    (kind) => {
      const text = emit([fact('a', 'b', 'icmp 0'), fact('a', 'b', 'tcp 80')], kind);
      expect(text).toMatch(/# Left out: egress to b, icmp: a Kubernetes NetworkPolicy cannot say it/);
      expect(JSON.stringify(read(text))).not.toMatch(/icmp/i);
    },
  );

  test.each(['CalicoNetworkPolicy', 'StagedNetworkPolicy'] as const)(
    '%s allows ICMP, without ports',
    (kind) => {
      const [policy] = read(emit([fact('a', 'b', 'icmp 0')], kind));
      expect(policy?.spec.egress?.[0]).toMatchObject({ protocol: 'ICMP' });
      expect(policy?.spec.egress?.[0]?.destination).toEqual({
        namespaceSelector: "projectcalico.org/name == 'b'",
      });
    },
  );

  test('a network set is referred to by a label that the rule names, in Kubernetes left out', () => {
    const facts = [fact('a', 'set:ranges', 'tcp 443'), fact('a', 'b', 'tcp 80')];
    const [policy] = read(emit(facts, 'CalicoNetworkPolicy'));
    expect(JSON.stringify(policy)).toContain("flow-trail/network-set == 'ranges'");
    expect(emit(facts, 'NetworkPolicy')).toMatch(/# Left out: egress to network set ranges, tcp 443/);
  });

  test('a protocol by number is one to Calico, and left out in Kubernetes', () => {
    const facts = [fact('a', 'b', '47 0'), fact('a', 'b', 'tcp 80')];
    const [policy] = read(emit(facts, 'CalicoNetworkPolicy'));
    expect(policy?.spec.egress?.map(({ protocol }) => protocol)).toEqual([47, 'TCP']);
    expect(emit(facts, 'NetworkPolicy')).toMatch(/# Left out: egress to b, 47/);
  });

  test('each rule keeps its evidence in its annotations, when comments are lost', () => {
    const [policy] = read(emit([fact('a', 'b', 'tcp 80', { flowCount: 3 })], 'StagedNetworkPolicy'));
    expect(policy?.spec.egress?.[0]?.metadata?.annotations).toMatchObject({
      'flow-trail/origin': 'observed',
      'flow-trail/days': '1',
      'flow-trail/flows': '3',
    });
  });

  test.each(['CalicoNetworkPolicy', 'StagedNetworkPolicy'] as const)(
    '%s stands in the tier and at the place that were asked for, and is named after the tier',
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
  test('of a service identity that is no name in Kubernetes never meets that of another', () => {
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
