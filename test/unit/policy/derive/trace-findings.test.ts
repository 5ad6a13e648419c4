import { describe, expect, test } from 'vitest';
import { deriveAllowlist } from '../../../../src/policy/derive/derive.ts';
import { traceFindings } from '../../../../src/policy/derive/trace-findings.ts';
import type { FlowEvidence, TracedEvidence } from '../../../../src/trail/facts/evidence.ts';
import { complete, egress, fact } from './facts.ts';

const profile = { k: 'Profile', n: 'kns.a', a: 'allow', r: 0 };
const observe = { k: 'GlobalNetworkPolicy', n: 'observe', t: 'default', a: 'allow', r: 1 };
const own = { k: 'CalicoNetworkPolicy', ns: 'a', n: 'allow', t: 'default', a: 'allow', r: 0 };
const staged = { k: 'StagedNetworkPolicy', ns: 'a', n: 'next', t: 'default', a: 'deny', r: 0 };

function traced(flow: FlowEvidence, ...hits: object[]): TracedEvidence {
  return { ...flow, days: 1, trace: { enforced: hits } };
}

describe('a catch-all is', () => {
  const web = fact('a', 'b', 'tcp 80');
  const database = fact('a', 'dbaas', 'tcp 5432');
  const metrics = fact('a', 'b', 'tcp 9090');
  test.each<[string, TracedEvidence[], number]>([
    ['a global policy that allows a flow', [traced(web, observe)], 1],
    ['a rule that allows several peers on several ports', [traced(web, own), traced(database, own)], 1],
    ['a policy behind one that passes', [traced(web, { ...own, a: 'pass' }, observe)], 1],
    ['not a rule for one peer', [traced(web, own), traced(metrics, own)], 0],
    ['not two rules for one peer each', [traced(web, own), traced(database, { ...own, r: 1 })], 0],
    ['not a profile', [traced(web, profile), traced(database, profile)], 0],
    ['not a baseline policy', [traced(web, { ...observe, k: 'BaselineAdminNetworkPolicy' })], 0],
    ['a cluster-wide policy', [traced(web, { ...observe, k: 'ClusterNetworkPolicy', t: 'kube-admin' })], 1],
    [
      'not one of the baseline tier',
      [traced(web, { ...observe, k: 'ClusterNetworkPolicy', t: 'kube-baseline' })],
      0,
    ],
    ['not a global policy that allows DNS only', [traced(fact('a', 'kube-system', 'udp 53'), observe)], 0],
    ['not a policy that denies', [traced(web, { ...observe, a: 'deny' })], 0],
    ['not a staged policy', [traced(web, { ...staged, a: 'allow' })], 0],
  ])('%s', (_what, evidence, count) => {
    expect(traceFindings(evidence).catchAlls('a', 'egress')).toHaveLength(count);
  });

  test('specific to its namespace and direction', () => {
    const findings = traceFindings([traced(web, observe)]);
    expect(findings.catchAlls('b', 'ingress')).toEqual([]);
    expect(findings.catchAlls('a', 'ingress')).toEqual([]);
    expect(
      traceFindings([traced({ ...web, reporter: 'dst' }, observe)]).catchAlls('b', 'ingress'),
    ).toHaveLength(1);
  });

  test('named in the warnings of a derived policy', () => {
    const { policies } = deriveAllowlist(
      [web],
      () => complete,
      egress,
      undefined,
      traceFindings([traced(web, observe)]),
    );
    expect(policies[0]?.warnings).toEqual([
      expect.stringContaining('GlobalNetworkPolicy observe, tier default, rule 1 allows 1 flow'),
    ]);
  });
});

describe('a verdict that names a staged policy', () => {
  const denied = fact('a', 'b', 'tcp 80', { action: 'deny' });

  test('is not evidence of a denial, at either end', () => {
    const atDestination = fact('a', 'b', 'tcp 81', { action: 'deny', reporter: 'dst' });
    const evidence = [denied, atDestination, fact('a', 'b', 'tcp 81')];
    const findings = traceFindings([traced(denied, staged), traced(atDestination, staged)]);
    const { policies } = deriveAllowlist(evidence, () => complete, egress, ['a'], findings);
    expect(policies[0]?.rules).toMatchObject([{ ports: [{ port: 81 }] }]);
    expect(policies[0]?.leftOut).toMatchObject([{ reason: 'staged-verdict', port: 80 }]);
  });

  test('does not hide that an enforced policy denies the same traffic', () => {
    const findings = traceFindings([traced(denied, staged), traced(denied, { ...own, a: 'deny' })]);
    expect(findings.misreportedBy(denied)).toBeUndefined();
  });
});
