import { z } from 'zod';
import { withoutEmpty } from './absent-fields.ts';
import type { KnownNamespace, KnownNetworkSet } from './cluster.ts';
import { describeIssue } from './describe-issue.ts';
import { readKustomizations } from './kustomization.ts';
import { describeObject } from './objects.ts';
import {
  isPolicyKind,
  networkSetShape,
  policyShapes,
  toNamespace,
  toNetworkSet,
  type Manifest,
} from './policy-shapes.ts';
import { validatedForms } from './stored-forms.ts';
import { documentsOf, type ManifestFile } from './yaml-documents.ts';

export type { ManifestFile } from './yaml-documents.ts';

export interface ReadOptions {
  /** Namespace of manifests without one, as with `kubectl -n`. */
  readonly namespace?: string | undefined;
  /** The cluster has IPv6 addresses; default: only if a policy or a network set names an IPv6 range. */
  readonly ipv6?: boolean | undefined;
}

/** A manifest and its place: `policies/immich.yaml, document 2`. */
export interface PlacedManifest {
  readonly place: string;
  readonly manifest: Manifest;
}

interface ReadManifests {
  readonly manifests: readonly PlacedManifest[];
  readonly networkSets: readonly KnownNetworkSet[];
  /** By name. */
  readonly namespaces: ReadonlyMap<string, KnownNamespace>;
  /** Kinds that do not affect policy, with their counts. */
  readonly skipped: ReadonlyMap<string, number>;
  readonly problems: readonly string[];
  /** What kustomize would change, as sentences. */
  readonly notes: readonly string[];
}

const object = z.record(z.string(), z.unknown());
/** The API group under which Calico stores its objects; the specs are the same. */
const storedGroup = /^crd\.projectcalico\.org\/v\d+$/;
const namespacedKinds = new Set([
  'NetworkPolicy',
  'StagedNetworkPolicy',
  'StagedKubernetesNetworkPolicy',
  'NetworkSet',
]);
/** Kinds, in any group or version, that can allow or deny; rejected unless `policyShapes` lists them. */
const canDecide = /(NetworkPolicy|NetworkSet)$/i;

/** Why a kind that can allow or deny cannot be replayed. */
function unsupported(kind: string, apiVersion: string | undefined): string {
  const known = Object.keys(policyShapes)
    .map((name) => name.split(' '))
    .filter(([, name = '']) => name.toLowerCase() === kind.toLowerCase())
    .map(([version = '', name = '']) => `${name} of ${version}`);
  const what = apiVersion === undefined ? 'has no apiVersion' : `of ${apiVersion} cannot be replayed`;
  return known.length > 0
    ? `${what}; use ${known.join(' or ')}`
    : `${what}: it is neither a Kubernetes nor a Calico policy; remove it from the set`;
}

/**
 * Reads hand-written manifests and the output of kubectl and calicoctl. Kinds that do not affect policy are skipped
 * and counted. An unknown kind, field or value that could change a verdict is a problem, with its file, document, object
 * and field.
 */
export function readManifests(
  files: readonly ManifestFile[],
  { namespace: defaultNamespace }: ReadOptions = {},
): ReadManifests {
  const manifests: PlacedManifest[] = [];
  const networkSets: KnownNetworkSet[] = [];
  const namespaces = new Map<string, KnownNamespace>();
  const skipped = new Map<string, number>();
  const problems: string[] = [];
  const skip = (kind: string) => {
    skipped.set(kind, (skipped.get(kind) ?? 0) + 1);
  };
  const complain = (problem: string) => {
    problems.push(problem);
  };
  const documents = files.flatMap((file) =>
    documentsOf(file, { complain, skip, isFolder: files.length > 1 }),
  );
  const kustomizations = readKustomizations(documents);
  const notes = new Set<string>();

  const takePolicy = (name: string, value: Record<string, unknown>, place: string, path: string) => {
    const kind = String(value['kind']);
    const own = object.safeParse(value['metadata']).data ?? {};
    const ownName = nameOf(own);
    const text = describeObject({ kind, metadata: { ...own, name: ownName ?? 'without a name' } });
    if (!isPolicyKind(name) && !isNetworkSet(name)) {
      complain(`${place}: ${text} ${unsupported(kind, textOf(value['apiVersion']))}`);
      return;
    }
    const isNamespaced = namespacedKinds.has(kind);
    for (const note of kustomizations.notesOn(path)) notes.add(note);
    const namespace = kustomizations.namespaceOf(path) ?? textOf(own['namespace']) ?? defaultNamespace;
    if (isNamespaced && namespace === undefined) {
      complain(`${place}: ${text} has no metadata.namespace; add it, or use --namespace (like kubectl -n)`);
      return;
    }
    const metadata = { ...own, name: ownName, namespace: isNamespaced ? namespace : undefined };
    const placed = withoutEmpty({ ...value, metadata });
    const failed = ({ issues }: z.ZodError) => {
      const where = `${place}: ${describeObject({ kind, metadata: { namespace: metadata.namespace, name: ownName ?? 'without a name' } })}`;
      problems.push(...issues.flatMap((issue) => describeIssue(where, placed, issue)));
    };
    if (isPolicyKind(name)) {
      const parsed = policyShapes[name].safeParse(placed);
      if (parsed.success) manifests.push({ place, manifest: parsed.data });
      else failed(parsed.error);
    } else {
      const set = networkSetShape.safeParse(placed);
      if (set.success) networkSets.push(toNetworkSet(set.data));
      else failed(set.error);
    }
  };

  const take = (value: Record<string, unknown>, place: string, path: string) => {
    const kind = textOf(value['kind']);
    const written = textOf(value['apiVersion']);
    const isStored = written !== undefined && storedGroup.test(written);
    const apiVersion = isStored ? 'projectcalico.org/v3' : written;
    if (kind?.endsWith('List') && ('items' in value || kind === 'List')) {
      const items = z.array(object).safeParse(value['items'] ?? []);
      if (!items.success)
        complain(`${place}: items is not a list of objects; list the objects of the ${kind}`);
      // Items of a list from the API server have no kind.
      const inherited = kind === 'List' ? {} : { kind: kind.slice(0, -'List'.length), apiVersion: written };
      for (const [at, item] of (items.data ?? []).entries())
        take({ ...inherited, ...item }, `${place}, item ${at + 1}`, path);
      return;
    }
    const name = `${apiVersion ?? ''} ${kind ?? ''}`;
    const namespace = name === 'v1 Namespace' ? toNamespace(value) : undefined;
    if (namespace) namespaces.set(...namespace);
    else if (kind !== undefined && (isPolicyKind(name) || isNetworkSet(name) || canDecide.test(kind)))
      takePolicy(
        name,
        { ...value, apiVersion, spec: isStored ? validatedForms(value['spec']) : value['spec'] },
        place,
        path,
      );
    else skip(kind === undefined || apiVersion === undefined ? 'document without apiVersion and kind' : kind);
  };

  for (const { path, place, value } of documents) take(value, place, path);
  return { manifests, networkSets, namespaces, skipped, problems, notes: [...notes] };
}

/** The name, or an example of the names that the API server makes from generateName. */
function nameOf(metadata: Record<string, unknown>): string | undefined {
  const prefix = textOf(metadata['generateName']);
  return textOf(metadata['name']) ?? (prefix === undefined ? undefined : `${prefix}xxxxx`);
}

function isNetworkSet(name: string): boolean {
  return name === 'projectcalico.org/v3 NetworkSet' || name === 'projectcalico.org/v3 GlobalNetworkSet';
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
