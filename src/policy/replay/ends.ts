import type { EvidenceEnd } from '../derive/model.ts';
import { isInNets, overlap } from './address-sets.ts';
import { both, either, known, type Answer } from './answer.ts';
import type { LabelLookup, LabelTest, Selector } from './selector.ts';

/** An end of a flow, with assumptions about data that is not stored. */
export interface ReplayEnd extends EvidenceEnd {
  /** The assumed answer to a test of a label. */
  readonly assume?: ((label: string, test: LabelTest) => Answer) | undefined;
}

/** A NetworkSet or GlobalNetworkSet from a given manifest. */
export interface KnownNetworkSet {
  readonly name: string;
  /** Empty for a global one. */
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly nets: readonly string[];
}

/** How service identities are read; the worker's settings. */
export interface IdentitySettings {
  /** Pod label that holds the service identity. */
  readonly label: string;
  /** Namespaces in which the label is read. */
  readonly namespaces: 'all' | ReadonlySet<string>;
}

/** Data about a cluster other than its flows. */
export interface ClusterFacts {
  readonly identity: IdentitySettings;
  /** All network sets of the cluster; undefined if no manifest was given, in which case any may exist. */
  readonly networkSets: readonly KnownNetworkSet[] | undefined;
}

/** Selects endpoints and network sets, as a rule of a Calico policy does: by the labels of the object and of its namespace. */
export interface EndpointSelector {
  /** Matched against the labels of the object's namespace; a global object has none. */
  readonly namespace: Selector;
  /** Matched against the labels of the object itself. */
  readonly labels: Selector;
}

const namespaceLabel = 'projectcalico.org/namespace';

/**
 * The known labels of a pod: its namespace and, in the namespaces where it is read, its service identity. A pod without
 * an identity there has no such label, or one that differs between the pods of its workload.
 */
export function podLabels(end: ReplayEnd, settings: IdentitySettings): LabelLookup {
  const { ns, identity, assume } = end;
  const isRead = settings.namespaces === 'all' || settings.namespaces.has(ns);
  return (label, test) => {
    if (label === namespaceLabel) return { value: ns };
    if (label === 'projectcalico.org/orchestrator') return { value: 'k8s' };
    if (label === settings.label && isRead) return { value: identity === '' ? undefined : identity };
    return assume?.(label, test) ?? 'unknown';
  };
}

/** The known labels of a namespace: the name labels that Kubernetes and Calico set. `''` if there is no namespace. */
export function namespaceLabels({ ns, assume }: Pick<ReplayEnd, 'ns' | 'assume'>): LabelLookup {
  if (ns === '') return () => ({ value: undefined });
  return (label, test) =>
    label === 'kubernetes.io/metadata.name' || label === 'projectcalico.org/name'
      ? { value: ns }
      : (assume?.(`namespace ${label}`, test) ?? 'unknown');
}

export function isPod(end: EvidenceEnd): boolean {
  return end.kind === 'workload' && end.ns !== '';
}

/**
 * Whether a selector selects an end. Calico resolves a selector to addresses, so a selected network set also
 * includes the pods and hosts whose addresses it covers.
 */
export function isSelected(selector: EndpointSelector, end: ReplayEnd, cluster: ClusterFacts): Answer {
  const { identity, networkSets } = cluster;
  // Felix looks an address up in all endpoints and network sets before it reports it as `pub` or `pvt`.
  if (end.kind === 'network') return 'no';
  const own = ownAnswer(selector, end, cluster);
  if (own === 'yes') return 'yes';
  if (networkSets !== undefined) {
    const covering = networkSets
      .filter((set) => mayCover(set, end, networkSets))
      .map((set) => setAnswer(selector, set));
    return either(own, ...covering.map((answer) => (answer === 'no' ? 'no' : 'unknown')));
  }
  // Any global network set may exist. Its labels are unknown, but it has no service identity.
  const anySet = both(
    selector.namespace(namespaceLabels({ ns: '' })),
    selector.labels((label) =>
      label === identity.label || label.startsWith('projectcalico.org/') ? { value: undefined } : 'unknown',
    ),
  );
  const covered = end.assume?.('network set', { text: 'covers the address', holds: () => true }) ?? 'unknown';
  return either(own, both(anySet, covered));
}

function ownAnswer(selector: EndpointSelector, end: ReplayEnd, { identity, networkSets }: ClusterFacts) {
  if (isPod(end))
    return both(selector.namespace(namespaceLabels(end)), selector.labels(podLabels(end, identity)));
  const set = end.kind === 'networkset' ? findSet(networkSets, end) : undefined;
  if (set) return setAnswer(selector, set);
  return both(
    selector.namespace(namespaceLabels(end)),
    selector.labels((label, test) =>
      label === namespaceLabel
        ? { value: end.ns === '' ? undefined : end.ns }
        : (end.assume?.(label, test) ?? 'unknown'),
    ),
  );
}

function setAnswer(selector: EndpointSelector, { namespace, labels }: KnownNetworkSet): Answer {
  return both(
    selector.namespace(namespaceLabels({ ns: namespace })),
    selector.labels((label) => {
      if (label === namespaceLabel) return { value: namespace === '' ? undefined : namespace };
      return { value: Object.hasOwn(labels, label) ? labels[label] : undefined };
    }),
  );
}

/** Whether the address of an end may be within a set; a set that is the end itself is not counted again. */
function mayCover(set: KnownNetworkSet, end: EvidenceEnd, all: readonly KnownNetworkSet[]): boolean {
  if (end.kind !== 'networkset') return isInNets(set.nets, end) !== 'no';
  const own = findSet(all, end);
  return own !== set && (own === undefined || overlap(set.nets, own.nets));
}

function findSet(sets: readonly KnownNetworkSet[] | undefined, { ns, identity }: EvidenceEnd) {
  return sets?.find(({ name, namespace }) => name === identity && namespace === ns);
}

/** Whether the selector uses only the namespace's name. */
export function ownNamespace(ns: string): Selector {
  return (labels) => {
    const found = labels('projectcalico.org/name', { text: `is ${ns}`, holds: (value) => value === ns });
    return typeof found === 'string' ? found : known(found.value === ns);
  };
}
