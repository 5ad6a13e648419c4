import { calicoRules, calicoStub } from './emit-calico.ts';
import { kubernetesRules, kubernetesStub } from './emit-kubernetes.ts';
import { cutsOf } from './cuts.ts';
import { flowsOf } from './sighting.ts';
import { describeLeftOut } from './describe-ends.ts';
import { policyHeader, type HeaderOptions } from './policy-header.ts';
import type { DerivedAllowlist } from './derive.ts';
import type { DerivedPolicy, LeftOut } from './model.ts';
import { groupBy } from '../../text/order.ts';
import { Commented, yamlDocument, type YamlValue } from './yaml.ts';

export type PolicyKind =
  | 'NetworkPolicy'
  | 'CalicoNetworkPolicy'
  | 'StagedNetworkPolicy'
  | 'StagedKubernetesNetworkPolicy';

export interface EmitOptions extends HeaderOptions {
  readonly kind: PolicyKind;
  /** Calico's tier, for kinds that have one. */
  readonly tier: string;
  /** Position within the tier, for kinds that have one; last if undefined. */
  readonly order: number | undefined;
  readonly identityLabel: string;
  readonly showExternals: boolean;
}

export interface Artefact {
  /** A plain file name. */
  readonly path: string;
  readonly content: string;
}

/** One file per namespace, ordered by name. The same policies give the same bytes. */
export function emitPolicies({ policies }: DerivedAllowlist, options: EmitOptions): Artefact[] {
  return [...groupBy(policies, ({ namespace }) => namespace)].map(([namespace, group]) => ({
    path: `${namespace}.yaml`,
    content: group.map((policy) => emitPolicy(policy, options)).join('---\n'),
  }));
}

function emitPolicy(policy: DerivedPolicy, options: EmitOptions): string {
  const isCalico = options.kind === 'CalicoNetworkPolicy' || options.kind === 'StagedNetworkPolicy';
  const rendered = isCalico ? calicoRules(policy) : kubernetesRules(policy);
  const cuts = cutsOf(policy, rendered.inexpressible);
  const stubs = options.showExternals ? stubsOf(policy, isCalico ? calicoStub : kubernetesStub) : [];
  const stubbed = new Set(stubs.map(({ entry }) => entry));
  const listed = policy.leftOut.filter(
    (entry) => !stubbed.has(entry) && (options.showExternals || !isExternal(entry)),
  );
  const footer = [
    ...rendered.inexpressible.map(({ text }) => `Left out: ${text}`),
    ...listed.map((entry) => `Left out: ${describeLeftOut(entry)}`),
  ];
  const empty = policy.directions.filter((direction) => rendered[direction].length === 0);
  const notes = stubs.length > 0 ? [stubText] : [];
  const header = policyHeader(policy, cuts, empty, notes, options);
  const manifest: YamlValue = {
    apiVersion: options.kind === 'NetworkPolicy' ? 'networking.k8s.io/v1' : 'projectcalico.org/v3',
    kind: options.kind === 'CalicoNetworkPolicy' ? 'NetworkPolicy' : options.kind,
    metadata: {
      name: policyName(policy, options),
      namespace: policy.namespace,
      labels: { 'app.kubernetes.io/managed-by': 'flow-trail' },
      annotations: {
        ...(options.clusterName === '' ? {} : { 'flow-trail/cluster': options.clusterName }),
        'flow-trail/verdict': policy.status.verdict,
        'flow-trail/covered-days': policy.status.coveredDays.toFixed(1),
        'flow-trail/gaps': String(policy.status.gaps.length),
        'flow-trail/left-out': String(cuts.length),
        'flow-trail/left-out-flows': String(flowsOf(cuts)),
        'flow-trail/observed': options.periodText,
      },
    },
    spec: withStubs(
      isCalico ? calicoSpec(policy, rendered, options) : kubernetesSpec(policy, rendered, options),
      stubs,
    ),
  };
  return yamlDocument(manifest, header, footer);
}

const stubText =
  'To use a commented rule that contains FILL-IN: remove the first "# " of its line and replace FILL-IN with an address range in CIDR notation.';

interface Stub {
  readonly entry: LeftOut;
  readonly line: string;
}

function stubsOf({ leftOut }: DerivedPolicy, stub: (entry: LeftOut) => string | undefined): Stub[] {
  return leftOut.filter(isExternal).flatMap((entry) => {
    const line = stub(entry);
    return line === undefined ? [] : [{ entry, line }];
  });
}

function isExternal({ reason }: LeftOut): boolean {
  return reason === 'external' || reason === 'host';
}

/**
 * The spec with its stubs as comments at the end of their list. An empty list is written as a comment together with its
 * stubs, so that the result is valid once the whole block is uncommented; the meaning stays the same because
 * policyTypes is set.
 */
function withStubs(spec: Fields, stubs: readonly Stub[]): Commented {
  const after: string[] = [];
  const entries = Object.entries(spec).map(([key, value]) => {
    const own = stubs.filter(({ entry }) => entry.direction === key);
    if (own.length === 0 || !Array.isArray(value)) return [key, value] as const;
    // Explanations have a second "#", so they stay comments when the whole block is uncommented.
    const lines = own.flatMap(({ entry, line }) => [`# ${describeLeftOut(entry)}`, line]);
    if (value.length > 0) return [key, new Commented(value, [], lines)] as const;
    after.push(`${key}:`, ...lines.map((line) => `  ${line}`));
    return [key, undefined] as const;
  });
  return new Commented(Object.fromEntries(entries), [], after);
}

type Fields = Readonly<Record<string, YamlValue | undefined>>;

interface Rendered {
  readonly egress: readonly YamlValue[];
  readonly ingress: readonly YamlValue[];
}

function kubernetesSpec(policy: DerivedPolicy, { egress, ingress }: Rendered, options: EmitOptions): Fields {
  return {
    stagedAction: options.kind === 'StagedKubernetesNetworkPolicy' ? 'Set' : undefined,
    podSelector: policy.identity === '' ? {} : { matchLabels: { [options.identityLabel]: policy.identity } },
    policyTypes: policyTypes(policy),
    ingress: policy.directions.includes('ingress') ? ingress : undefined,
    egress: policy.directions.includes('egress') ? egress : undefined,
  };
}

function calicoSpec(policy: DerivedPolicy, { egress, ingress }: Rendered, options: EmitOptions): Fields {
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

/** A label's value as part of an object's name; a value that is not valid in a name becomes hex after a second dash. */
function nameOf(identity: string): string {
  if (/^[a-z0-9-]+$/.test(identity)) return identity;
  return `-${Buffer.from(identity).toString('hex')}`;
}
