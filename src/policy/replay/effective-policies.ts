import { isDeepStrictEqual } from 'node:util';
import type { PlacedManifest } from './manifest.ts';
import { describeObject } from './objects.ts';

/** The manifests that remain once every staged policy is enforced. */
interface Effective {
  readonly manifests: readonly PlacedManifest[];
  /** What enforcing the staged policies changes, as sentences. */
  readonly notes: readonly string[];
  readonly problems: readonly string[];
}

/** The kind, with its API version, that a staged policy has once it is enforced. */
export const enforcedKinds: Readonly<Record<string, string>> = {
  StagedNetworkPolicy: 'projectcalico.org/v3 NetworkPolicy',
  StagedGlobalNetworkPolicy: 'projectcalico.org/v3 GlobalNetworkPolicy',
  StagedKubernetesNetworkPolicy: 'networking.k8s.io/v1 NetworkPolicy',
};

/**
 * Enforces the staged policies of a set: with stagedAction Set (the default), a staged policy replaces the enforced one
 * of its name; with Delete it removes it; Learn and Ignore change nothing. Two different manifests of one object are a
 * problem, because only one of them can be in the cluster.
 */
export function enforceStaged(read: readonly PlacedManifest[]): Effective {
  const { manifests: distinct, problems } = withoutDuplicates(read);
  const keys = new Set(
    distinct.map(({ manifest: { apiVersion, kind, metadata } }) => keyOf(`${apiVersion} ${kind}`, metadata)),
  );
  const all = distinct.filter((entry) => !isView(entry, keys));
  const byKey = new Map(
    all.map((entry) => [
      keyOf(`${entry.manifest.apiVersion} ${entry.manifest.kind}`, entry.manifest.metadata),
      entry,
    ]),
  );
  const notes: string[] = [];
  const replaced = new Set<PlacedManifest>();
  for (const staged of all) {
    const enforcedKind = enforcedKinds[staged.manifest.kind];
    if (enforcedKind === undefined) continue;
    const { stagedAction: action = 'Set' } =
      'stagedAction' in staged.manifest.spec ? staged.manifest.spec : {};
    const text = describeObject(staged.manifest);
    if (action !== 'Set') replaced.add(staged);
    if (action === 'Learn' || action === 'Ignore') {
      notes.push(`${staged.place}: ${text} is skipped, because its stagedAction is ${action}`);
      continue;
    }
    const enforced = byKey.get(keyOf(enforcedKind, staged.manifest.metadata));
    if (enforced) {
      replaced.add(enforced);
      notes.push(
        `${staged.place}: ${text} ${action === 'Set' ? 'replaces' : 'deletes'} the enforced policy of the same name (${enforced.place})`,
      );
    } else if (action === 'Delete')
      notes.push(`${staged.place}: ${text} deletes a policy that is not in the set`);
  }
  return { manifests: all.filter((entry) => !replaced.has(entry)), notes, problems };
}

/**
 * Prefixes of the names under which Calico shows policies of Kubernetes as its own, in the output of calicoctl and
 * kubectl, and the kinds that they come from.
 */
const views: readonly (readonly [prefix: string, shownAs: string, kind: string])[] = [
  ['knp.default.', 'NetworkPolicy', 'networking.k8s.io/v1 NetworkPolicy'],
  ['kanp.adminnetworkpolicy.', 'GlobalNetworkPolicy', 'policy.networking.k8s.io/v1alpha1 AdminNetworkPolicy'],
  [
    'kbanp.baselineadminnetworkpolicy.',
    'GlobalNetworkPolicy',
    'policy.networking.k8s.io/v1alpha1 BaselineAdminNetworkPolicy',
  ],
];

/** Whether a manifest shows a policy whose own manifest is in the set, and counts instead. */
function isView(
  { manifest: { apiVersion, kind, metadata } }: PlacedManifest,
  keys: ReadonlySet<string>,
): boolean {
  const view = views.find(([prefix, shownAs]) => kind === shownAs && metadata.name.startsWith(prefix));
  if (view === undefined || apiVersion !== 'projectcalico.org/v3') return false;
  const [prefix, , source] = view;
  const name = metadata.name.slice(prefix.length);
  return keys.has(keyOf(source, { name, namespace: metadata.namespace }));
}

/** Equal for two manifests of one object. @param kind with its API version */
function keyOf(
  kind: string,
  { name, namespace }: Pick<PlacedManifest['manifest']['metadata'], 'name' | 'namespace'>,
): string {
  return [kind, namespace, name].join('\n');
}

function withoutDuplicates(read: readonly PlacedManifest[]): {
  manifests: PlacedManifest[];
  problems: string[];
} {
  const first = new Map<string, PlacedManifest>();
  const problems: string[] = [];
  for (const entry of read) {
    const { apiVersion, kind, metadata, spec } = entry.manifest;
    const key = keyOf(`${apiVersion} ${kind}`, metadata);
    const other = first.get(key);
    if (other === undefined) first.set(key, entry);
    else if (!isDeepStrictEqual(other.manifest.spec, spec))
      problems.push(
        `${entry.place}: ${describeObject(entry.manifest)} differs from the one in ${other.place}; keep one of them (for a base with patches, replay the output of kustomize build)`,
      );
  }
  return { manifests: [...first.values()], problems };
}
