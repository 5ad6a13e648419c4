import type { PolicyHit, PolicyTrace } from '../goldmane/flow.ts';

/** The policies of a namespace that are visible in policy traces. */
export interface NamespacePolicies {
  /** A platform policy matches its egress and passes it: two hits per trace. */
  readonly observed: boolean;
  /** A global policy in the default tier logs and allows all its egress after all other policies. */
  readonly caught: boolean;
  /** A staged egress policy allows listed destinations and denies the rest unless a later policy allows it. */
  readonly staged: boolean;
  /** A separate policy allows its ingress. */
  readonly guarded: boolean;
}

/** The trace of an allowed connection, from the reporting end's policies. */
export function allowTrace(
  namespace: string,
  policies: NamespacePolicies,
  { reporter, wouldDeny }: { reporter: 'src' | 'dst'; wouldDeny: boolean },
): PolicyTrace {
  const profile: PolicyHit = { kind: 'Profile', name: `kns.${namespace}`, action: 'allow' };
  if (reporter === 'dst') {
    if (!policies.guarded) return { enforced: [profile], pending: [profile] };
    const ingress: PolicyHit = {
      kind: 'NetworkPolicy',
      namespace,
      name: 'allow-ingress',
      tier: 'default',
      action: 'allow',
      ruleIndex: 0,
    };
    return { enforced: [ingress], pending: [ingress] };
  }
  const listed: PolicyHit = {
    kind: 'StagedNetworkPolicy',
    namespace,
    name: 'wave1-egress',
    tier: 'default',
    action: 'allow',
    ruleIndex: 0,
  };
  if (policies.caught) {
    const caught: PolicyHit = {
      kind: 'GlobalNetworkPolicy',
      name: 'observe-all-egress',
      tier: 'default',
      action: 'allow',
      ruleIndex: 1,
    };
    return { enforced: [caught], pending: [policies.staged && !wouldDeny ? listed : caught] };
  }
  const observe: PolicyHit = {
    kind: 'GlobalNetworkPolicy',
    name: 'observe-egress',
    tier: 'platform',
    action: 'pass',
    ruleIndex: 0,
  };
  const enforced = policies.observed ? [observe, profile] : [profile];
  if (!policies.staged) return { enforced, pending: enforced };
  const staged: PolicyHit = {
    ...listed,
    policyIndex: policies.observed ? 1 : 0,
    ...(wouldDeny ? { action: 'deny', ruleIndex: 2 } : {}),
  };
  return { enforced, pending: policies.observed ? [observe, staged] : [staged] };
}

/** The trace of a connection that no rule of the namespace's policy allows: the end of the tier denies it. */
export function denyTrace(namespace: string, policyName: string): PolicyTrace {
  const end: PolicyHit = {
    kind: 'EndOfTier',
    tier: 'default',
    action: 'deny',
    policyIndex: 1,
    ruleIndex: -1,
    trigger: { kind: 'NetworkPolicy', namespace, name: policyName, tier: 'default' },
  };
  return { enforced: [end], pending: [end] };
}

/** calico-node lists the hits of a trace in random order; this returns the reverse order. */
export function reordered(trace: PolicyTrace): PolicyTrace {
  return { enforced: trace.enforced?.toReversed() ?? [], pending: trace.pending?.toReversed() ?? [] };
}
