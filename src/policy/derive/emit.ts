import { calicoRules, calicoStub } from './emit-calico.ts';
import { kubernetesRules, kubernetesStub } from './emit-kubernetes.ts';
import { describeLeftOut, describePolicy, isExternal } from './describe.ts';
import type { DerivedAllowlist } from './derive.ts';
import type { DerivedPolicy } from './model.ts';
import { groupBy } from './order.ts';
import { yamlDocument, type YamlValue } from './yaml.ts';

export type PolicyKind =
  | 'NetworkPolicy'
  | 'CalicoNetworkPolicy'
  | 'StagedNetworkPolicy'
  | 'StagedKubernetesNetworkPolicy';

export interface EmitOptions {
  readonly kind: PolicyKind;
  /** Calico's tier, for the kinds that have one. */
  readonly tier: string;
  /** Position within the tier, for the kinds that have one; undefined: last. */
  readonly order: number | undefined;
  readonly identityLabel: string;
  /** `from 2026-11-01 to 2026-11-08 (UTC days)`. */
  readonly periodText: string;
  readonly showExternals: boolean;
}

export interface Artefact {
  /** A plain file name. */
  readonly path: string;
  readonly content: string;
}

/** One file a namespace, ordered by name; the same bytes for the same policies. */
export function emitPolicies({ policies }: DerivedAllowlist, options: EmitOptions): Artefact[] {
  return [...groupBy(policies, ({ namespace }) => namespace)].map(([namespace, group]) => ({
    path: `${namespace}.yaml`,
    content: group.map((policy) => emitPolicy(policy, options)).join('---\n'),
  }));
}

function emitPolicy(policy: DerivedPolicy, options: EmitOptions): string {
  const isCalico = options.kind === 'CalicoNetworkPolicy' || options.kind === 'StagedNetworkPolicy';
  const rendered = isCalico ? calicoRules(policy) : kubernetesRules(policy);
  const stubs = policy.leftOut.filter(({ reason }) => options.showExternals && isExternal(reason));
  const others = policy.leftOut.filter(({ reason }) => !isExternal(reason));
  const stub = isCalico ? calicoStub : kubernetesStub;
  const footer = [
    ...rendered.inexpressible.map((line) => `Left out: ${line}`),
    ...others.map((entry) => `Left out: ${describeLeftOut(entry)}`),
    ...stubs.flatMap((entry) => [
      `To fill in, ${entry.direction}: ${describeLeftOut(entry)}`,
      ...stub(entry),
    ]),
  ];
  const isEmpty = rendered.count === 0;
  const header = [
    ...describePolicy(policy, options),
    ...(isEmpty ? ['Warning: no rule could be written; applied as it is, this denies everything'] : []),
  ];
  const manifest: YamlValue = {
    apiVersion: options.kind === 'NetworkPolicy' ? 'networking.k8s.io/v1' : 'projectcalico.org/v3',
    kind: options.kind === 'CalicoNetworkPolicy' ? 'NetworkPolicy' : options.kind,
    metadata: {
      name: policyName(policy, options),
      namespace: policy.namespace,
      labels: { 'app.kubernetes.io/managed-by': 'flow-trail' },
      annotations: {
        'flow-trail/verdict': policy.status.verdict,
        'flow-trail/covered-days': policy.status.coveredDays.toFixed(1),
        'flow-trail/gaps': String(policy.status.gaps.length),
        'flow-trail/observed': options.periodText,
      },
    },
    spec: isCalico ? calicoSpec(policy, rendered, options) : kubernetesSpec(policy, rendered, options),
  };
  return yamlDocument(manifest, header, footer);
}

interface Rendered {
  readonly egress: readonly YamlValue[];
  readonly ingress: readonly YamlValue[];
}

function kubernetesSpec(
  policy: DerivedPolicy,
  { egress, ingress }: Rendered,
  options: EmitOptions,
): YamlValue {
  return {
    stagedAction: options.kind === 'StagedKubernetesNetworkPolicy' ? 'Set' : undefined,
    podSelector: policy.identity === '' ? {} : { matchLabels: { [options.identityLabel]: policy.identity } },
    policyTypes: policyTypes(policy),
    ingress: policy.directions.includes('ingress') ? ingress : undefined,
    egress: policy.directions.includes('egress') ? egress : undefined,
  };
}

function calicoSpec(policy: DerivedPolicy, { egress, ingress }: Rendered, options: EmitOptions): YamlValue {
  return {
    stagedAction: options.kind === 'StagedNetworkPolicy' ? 'Set' : undefined,
    tier: options.tier,
    order: options.order,
    selector: policy.identity === '' ? 'all()' : `${options.identityLabel} == '${policy.identity}'`,
    types: policyTypes(policy),
    ingress: policy.directions.includes('ingress') ? ingress : undefined,
    egress: policy.directions.includes('egress') ? egress : undefined,
  };
}

function policyTypes({ directions }: DerivedPolicy): string[] {
  return [
    ...(directions.includes('ingress') ? ['Ingress'] : []),
    ...(directions.includes('egress') ? ['Egress'] : []),
  ];
}

/** A Calico policy outside the default tier must begin with its tier's name. */
function policyName({ identity }: DerivedPolicy, { kind, tier }: EmitOptions): string {
  const prefix =
    (kind === 'CalicoNetworkPolicy' || kind === 'StagedNetworkPolicy') && tier !== 'default'
      ? `${tier}.`
      : '';
  return `${prefix}flow-trail-allowlist${identity === '' ? '' : `-${nameOf(identity)}`}`;
}

/** A label's value as part of an object's name. What is no such name is written out in hex after a second dash. */
function nameOf(identity: string): string {
  if (/^[a-z0-9-]+$/.test(identity)) return identity;
  return `-${Buffer.from(identity).toString('hex')}`;
}
