import type { EvidenceEnd } from '../derive/model.ts';
import type { IpVersion } from '../../text/net.ts';
import { both, either, known, type Answer } from './answer.ts';
import { findNetworkSet, type ClusterFacts, type KnownNetworkSet, type ReplayEnd } from './cluster.ts';
import { isInNets } from './end-addresses.ts';
import { has, isThere, type LabelLookup, type Selector } from './selector.ts';

/** Selects endpoints and network sets, as a rule of a Calico policy does: by the labels of the object and of its namespace. */
export interface EndpointSelector {
  /** Matched against the labels of the object's namespace; a global object has none. */
  readonly namespace: Selector;
  /** Matched against the labels of the object itself. */
  readonly labels: Selector;
}

const namespaceLabel = 'projectcalico.org/namespace';
export const serviceAccountLabel = 'projectcalico.org/serviceaccount';
/** Calico adds the labels of a pod's namespace and of its service account to the pod's own, with these prefixes. */
const namespacePrefix = 'pcns.';
export const serviceAccountPrefix = 'pcsa.';
const serviceAccountName = `${serviceAccountPrefix}projectcalico.org/name`;

/**
 * The known labels of a pod: its namespace and, in the namespaces where it is read, its service identity. A pod without
 * an identity there has no such label, or one that differs between the pods of its workload, unless its identity is unknown.
 */
export function podLabels(
  end: ReplayEnd,
  { identity: settings, namespaces }: Pick<ClusterFacts, 'identity' | 'namespaces'>,
): LabelLookup {
  const { ns, identity, hasUnknownIdentity = false, assume } = end;
  const isRead = settings.namespaces === 'all' || settings.namespaces.has(ns);
  return (label, test) => {
    if (label === namespaceLabel) return { value: ns };
    if (label === 'projectcalico.org/orchestrator') return { value: 'k8s' };
    if (label.startsWith(namespacePrefix))
      return namespaceLabels(end, namespaces)(label.slice(namespacePrefix.length), test);
    if (label === serviceAccountLabel || label === serviceAccountName)
      // Every pod has a service account; which one is not stored.
      return test.text === isThere ? 'yes' : (assume?.(serviceAccountLabel, test) ?? 'unknown');
    if (label === settings.label && isRead && !hasUnknownIdentity)
      return { value: identity === '' ? undefined : identity };
    return assume?.(label, test) ?? 'unknown';
  };
}

/**
 * The known labels of a namespace: the name labels that Kubernetes and Calico set, and those of its manifest. `''` if
 * there is no namespace.
 */
export function namespaceLabels(
  { ns, assume }: Pick<ReplayEnd, 'ns' | 'assume'>,
  namespaces: ClusterFacts['namespaces'],
): LabelLookup {
  if (ns === '') return () => ({ value: undefined });
  const manifest = namespaces.get(ns);
  return (label, test) => {
    if (label === 'kubernetes.io/metadata.name' || label === 'projectcalico.org/name') return { value: ns };
    const value =
      manifest !== undefined && Object.hasOwn(manifest.labels, label) ? manifest.labels[label] : undefined;
    if (value !== undefined || manifest?.isComplete === true) return { value };
    return assume?.(`namespace ${label}`, test) ?? 'unknown';
  };
}

export function isPod(end: EvidenceEnd): boolean {
  return end.kind === 'workload' && end.ns !== '';
}

/** Whether a selector selects an end as a pod. Labels are tested only in namespaces that it may select. */
export function podAnswer(selector: EndpointSelector, end: ReplayEnd, cluster: ClusterFacts): Answer {
  if (!isPod(end)) return 'no';
  const inNamespace = selector.namespace(namespaceLabels(end, cluster.namespaces));
  return inNamespace === 'no' ? 'no' : both(inNamespace, selector.labels(podLabels(end, cluster)));
}

/**
 * A test whether a selector selects an end. Calico resolves a selector to addresses, so a selected network set also
 * includes the pods and hosts whose addresses it covers.
 */
export function endpointTest(
  selector: EndpointSelector,
  cluster: ClusterFacts,
): (end: ReplayEnd, version: IpVersion) => Answer {
  const { networkSets } = cluster;
  const sets = (networkSets ?? [])
    .map((set) => ({ nets: set.nets, isChosen: setAnswer(selector, set, cluster) }))
    .filter(({ isChosen }) => isChosen !== 'no');
  const anySet = networkSets === undefined ? unknownSetAnswer(selector, cluster) : 'no';
  return (end, version) => {
    // Felix looks an address up in all endpoints and network sets before it reports it as `pub` or `pvt`.
    if (end.kind === 'network') return 'no';
    const own = ownAnswer(selector, end, cluster);
    if (own === 'yes') return 'yes';
    if (anySet !== 'no') {
      const covered =
        end.assume?.('network set', { text: 'covers the address', holds: () => true }) ?? 'unknown';
      return either(own, both(anySet, covered));
    }
    return either(
      own,
      ...sets.map(({ nets, isChosen }) => both(isChosen, isInNets(nets, end, version, cluster))),
    );
  };
}

/** For a global network set that may exist: its labels are unknown, but it has no service identity. */
function unknownSetAnswer(selector: EndpointSelector, { identity, namespaces }: ClusterFacts): Answer {
  return both(
    selector.namespace(namespaceLabels({ ns: '' }, namespaces)),
    selector.labels((label) =>
      label === identity.label || label.startsWith('projectcalico.org/') ? { value: undefined } : 'unknown',
    ),
  );
}

function ownAnswer(selector: EndpointSelector, end: ReplayEnd, cluster: ClusterFacts) {
  const { networkSets, namespaces } = cluster;
  if (isPod(end)) return podAnswer(selector, end, cluster);
  const set = end.kind === 'networkset' ? findNetworkSet(networkSets, end) : undefined;
  if (set) return setAnswer(selector, set, cluster);
  return both(
    selector.namespace(namespaceLabels(end, namespaces)),
    selector.labels((label, test) =>
      label === namespaceLabel
        ? { value: end.ns === '' ? undefined : end.ns }
        : (end.assume?.(label, test) ?? 'unknown'),
    ),
  );
}

function setAnswer(
  selector: EndpointSelector,
  { namespace, labels }: KnownNetworkSet,
  { namespaces }: ClusterFacts,
): Answer {
  return both(
    selector.namespace(namespaceLabels({ ns: namespace }, namespaces)),
    selector.labels((label, test) => {
      if (label === namespaceLabel) return { value: namespace === '' ? undefined : namespace };
      if (label.startsWith(namespacePrefix))
        return namespaceLabels({ ns: namespace }, namespaces)(label.slice(namespacePrefix.length), test);
      return { value: Object.hasOwn(labels, label) ? labels[label] : undefined };
    }),
  );
}

/** Whether the selector uses only the namespace's name. */
export function ownNamespace(ns: string): Selector {
  return (labels) => {
    const found = labels('projectcalico.org/name', { text: `is ${ns}`, holds: (value) => value === ns });
    return typeof found === 'string' ? found : known(found.value === ns);
  };
}

/** Selects everything in any namespace. */
export const isInNamespace: Selector = has('projectcalico.org/name');
