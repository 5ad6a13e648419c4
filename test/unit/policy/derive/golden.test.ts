import { describe, expect, test } from 'vitest';
import { deriveAllowlist } from '../../../../src/policy/derive/derive.ts';
import { emitPolicies, type EmitOptions, type PolicyKind } from '../../../../src/policy/derive/emit.ts';
import { namespaceJudge } from '../../../../src/policy/derive/status.ts';
import { captureEvidence } from '../../../support/capture-evidence.ts';
import { usual } from '../../reports/weeks.ts';
import { egress } from './facts.ts';

const evidence = captureEvidence();
const fromSeconds = Math.min(...evidence.map(({ firstSeconds }) => firstSeconds));
const coverage = [{ fromSeconds, toSeconds: fromSeconds + 360, state: 'final' as const }];
const statusOf = namespaceJudge(coverage, usual);
const emit: Omit<EmitOptions, 'kind'> = {
  tier: 'default',
  order: undefined,
  identityLabel: 'service-identity',
  clusterName: '',
  periodText: 'on 2026-11-22 (UTC)',
  showExternals: true,
};
const derived = deriveAllowlist(evidence, statusOf, {
  ...egress,
  directions: ['egress', 'ingress'],
  baseline: { dns: true, dnsAddresses: ['10.96.0.10/32'], databases: false, redis: false },
});

describe('the policies of the capture of a real server', () => {
  test.each<[PolicyKind, string]>([
    ['NetworkPolicy', 'actualbudget'],
    ['NetworkPolicy', 'dbaas'],
    ['NetworkPolicy', 'traefik'],
    ['CalicoNetworkPolicy', 'actualbudget'],
    ['CalicoNetworkPolicy', 'traefik'],
    ['StagedNetworkPolicy', 'excalidraw'],
    ['StagedKubernetesNetworkPolicy', 'excalidraw'],
  ])('%s of %s equals the reviewed file', async (kind, namespace) => {
    const file = emitPolicies(derived, { ...emit, kind }).find(({ path }) => path === `${namespace}.yaml`);
    await expect(file?.content).toMatchFileSnapshot(`../../../fixtures/allowlists/${namespace}.${kind}.yaml`);
  });

  test('are the same bytes for any order of the facts', () => {
    const again = deriveAllowlist(evidence.toReversed(), statusOf, {
      ...egress,
      directions: ['egress', 'ingress'],
    });
    const first = deriveAllowlist(evidence, statusOf, {
      ...egress,
      directions: ['egress', 'ingress'],
    });
    for (const kind of ['NetworkPolicy', 'CalicoNetworkPolicy'] as const)
      expect(emitPolicies(again, { ...emit, kind })).toEqual(emitPolicies(first, { ...emit, kind }));
  });
});
