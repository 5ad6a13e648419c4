import type { EvidenceEnd } from '../derive/model.ts';
import { known, type Answer } from './answer.ts';
import type { LabelLookup } from './selector.ts';

/** What the trail knows of the labels of a pod: its namespace, and its service identity where one was seen. */
export function podLabels({ ns, identity }: EvidenceEnd, identityLabel: string): LabelLookup {
  return (label) => {
    if (label === 'projectcalico.org/namespace') return { value: ns };
    if (label === 'projectcalico.org/orchestrator') return { value: 'k8s' };
    if (label === identityLabel && identity !== '') return { value: identity };
    return 'unknown';
  };
}

/** What it knows of the labels of a namespace: the name that Kubernetes and Calico put there. */
export function namespaceLabels(ns: string): LabelLookup {
  return (label) =>
    label === 'kubernetes.io/metadata.name' || label === 'projectcalico.org/name' ? { value: ns } : 'unknown';
}

/** Whether an end has one of the addresses. The trail keeps none: only all of them, or none, is an answer. */
export function isInNets(nets: readonly string[]): Answer {
  if (nets.includes('0.0.0.0/0') || (nets.includes('0.0.0.0/1') && nets.includes('128.0.0.0/1')))
    return 'yes';
  return known(nets.length > 0) === 'no' ? 'no' : 'unknown';
}

export function isPod(end: EvidenceEnd): boolean {
  return end.kind === 'workload' && end.ns !== '';
}
