import { parseAllDocuments } from 'yaml';
import { z } from 'zod';
import type { KnownNetworkSet } from './ends.ts';
import { isPolicyKind, networkSetShape, policyShapes, toNetworkSet, type Manifest } from './policy-shapes.ts';

export interface ManifestFile {
  readonly path: string;
  readonly text: string;
}

export interface ReadOptions {
  /** Namespace of manifests without one, as with `kubectl -n`. */
  readonly namespace?: string | undefined;
}

/** A manifest and its place: `policies/immich.yaml, document 2`. */
interface PlacedManifest {
  readonly place: string;
  readonly manifest: Manifest;
}

interface ReadManifests {
  readonly manifests: readonly PlacedManifest[];
  readonly networkSets: readonly KnownNetworkSet[];
  /** Kinds that do not affect policy, with their counts. */
  readonly skipped: ReadonlyMap<string, number>;
  readonly problems: readonly string[];
}

const object = z.record(z.string(), z.unknown());
const kustomization = z.looseObject({
  namespace: z.string().optional(),
  resources: z.array(z.string()).default([]),
});
/** The API group under which Calico stores its objects; the specs are the same. */
const storedGroup = /^crd\.projectcalico\.org\/v\d/;
const clusterKinds = new Set([
  'GlobalNetworkPolicy',
  'StagedGlobalNetworkPolicy',
  'GlobalNetworkSet',
  'Tier',
]);
/** Kinds, in any group or version, that can allow or deny; rejected unless `policyShapes` lists them. */
const canDecide = /(NetworkPolicy|AdminNetworkPolicy|ClusterNetworkPolicy)$/;

/**
 * Reads hand-written manifests and the output of kubectl and calicoctl. Kinds that do not affect policy are skipped
 * and counted. An unknown kind, field or value that could change a verdict is a problem, with its file, document and
 * field.
 */
export function readManifests(
  files: readonly ManifestFile[],
  { namespace: defaultNamespace }: ReadOptions = {},
): ReadManifests {
  const manifests: PlacedManifest[] = [];
  const networkSets: KnownNetworkSet[] = [];
  const skipped = new Map<string, number>();
  const problems: string[] = [];
  const documents = files.flatMap((file) => documentsOf(file, problems));
  const namespaceOf = kustomizedNamespaces(documents);

  const skip = (kind: string) => {
    skipped.set(kind, (skipped.get(kind) ?? 0) + 1);
  };
  const complain = (place: string, { issues }: z.ZodError) => {
    problems.push(...issues.flatMap((issue) => describeIssue(place, issue)));
  };

  const takePolicy = (name: string, value: Record<string, unknown>, place: string, path: string) => {
    if (!isPolicyKind(name) && !isNetworkSet(name)) {
      problems.push(
        `${place} is a ${name}, which cannot be replayed; supported kinds are ${Object.keys(policyShapes).join(', ')}`,
      );
      return;
    }
    const kind = String(value['kind']);
    const wantsNamespace = !clusterKinds.has(kind);
    const own = object.safeParse(value['metadata']).data ?? {};
    const namespace = namespaceOf(path) ?? textOf(own['namespace']) ?? defaultNamespace;
    if (wantsNamespace && namespace === undefined) {
      problems.push(
        `${place}: ${kind} ${textOf(own['name']) ?? ''} has no metadata.namespace; add it, or use --namespace (like kubectl -n)`,
      );
      return;
    }
    const placed = withoutEmpty({ ...value, metadata: { ...own, ...(wantsNamespace ? { namespace } : {}) } });
    if (name === 'projectcalico.org/v3 NetworkSet' || name === 'projectcalico.org/v3 GlobalNetworkSet') {
      const set = networkSetShape.safeParse(placed);
      if (set.success) networkSets.push(toNetworkSet(set.data));
      else complain(place, set.error);
    } else if (isPolicyKind(name)) {
      const parsed = policyShapes[name].safeParse(placed);
      if (parsed.success) manifests.push({ place, manifest: parsed.data });
      else complain(place, parsed.error);
    }
  };

  const take = (value: Record<string, unknown>, place: string, path: string) => {
    const kind = textOf(value['kind']);
    const apiVersion = textOf(value['apiVersion'])?.replace(storedGroup, 'projectcalico.org/v3');
    if (kind === undefined || apiVersion === undefined) {
      skip('document without apiVersion and kind');
      return;
    }
    if (kind.endsWith('List') && ('items' in value || kind === 'List')) {
      const items = z.array(object).safeParse(value['items'] ?? []);
      if (!items.success) problems.push(`${place}: items is not a list of objects`);
      // Items of a list from the API server have no kind.
      const inherited = kind === 'List' ? {} : { kind: kind.slice(0, -'List'.length), apiVersion };
      for (const [at, item] of (items.data ?? []).entries())
        take({ ...inherited, ...item }, `${place}, item ${at + 1}`, path);
      return;
    }
    const name = `${apiVersion} ${kind}`;
    if (isPolicyKind(name) || isNetworkSet(name) || canDecide.test(kind))
      takePolicy(name, { ...value, apiVersion }, place, path);
    else skip(kind);
  };

  for (const { path, place, value } of documents) take(value, place, path);
  return { manifests, networkSets, skipped, problems };
}

interface PlacedDocument {
  readonly path: string;
  readonly place: string;
  readonly value: Record<string, unknown>;
}

function documentsOf({ path, text }: ManifestFile, problems: string[]): PlacedDocument[] {
  const documents = parseAllDocuments(text);
  return documents.flatMap((document, at) => {
    const place = documents.length > 1 ? `${path}, document ${at + 1}` : path;
    const [error] = document.errors;
    if (error) {
      problems.push(`${place} is not valid YAML: ${error.message.split('\n')[0]}`);
      return [];
    }
    const value = object.safeParse(document.toJS());
    return value.success ? [{ path, place, value: value.data }] : [];
  });
}

/**
 * The namespace that a kustomization sets for the files it lists, from the nearest kustomization; undefined if there is
 * none.
 */
function kustomizedNamespaces(documents: readonly PlacedDocument[]): (path: string) => string | undefined {
  const found = documents.flatMap(({ path, value }) => {
    if (value['kind'] !== 'Kustomization' && !/(^|\/)[Kk]ustomization(\.ya?ml)?$/.test(path)) return [];
    const parsed = kustomization.safeParse(value);
    if (!parsed.success || parsed.data.namespace === undefined) return [];
    const folder = path.includes('/') ? path.slice(0, path.lastIndexOf('/') + 1) : '';
    const resources = parsed.data.resources.map((resource) => folder + resource.replace(/^\.\//, ''));
    return [{ folder, namespace: parsed.data.namespace, resources }];
  });
  const nearestFirst = found.toSorted((a, b) => b.folder.length - a.folder.length);
  return (path) =>
    nearestFirst.find(({ resources }) =>
      resources.some((resource) => path === resource || path.startsWith(`${resource.replace(/\/$/, '')}/`)),
    )?.namespace;
}

function isNetworkSet(name: string): boolean {
  return name === 'projectcalico.org/v3 NetworkSet' || name === 'projectcalico.org/v3 GlobalNetworkSet';
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** Fields that the API server treats as absent if they are null, an empty list or an empty string. */
const optionalFields = new Set([
  ...[
    'policyTypes',
    'types',
    'ingress',
    'egress',
    'from',
    'to',
    'ports',
    'notPorts',
    'nets',
    'notNets',
    'except',
  ],
  ...['selector', 'notSelector', 'namespaceSelector', 'serviceAccountSelector', 'podSelector', 'ipBlock'],
  ...[
    'matchExpressions',
    'matchLabels',
    'source',
    'destination',
    'protocol',
    'notProtocol',
    'icmp',
    'notICMP',
  ],
  ...[
    'ipVersion',
    'endPort',
    'port',
    'order',
    'tier',
    'metadata',
    'labels',
    'annotations',
    'namespace',
    'items',
  ],
  ...['serviceAccounts', 'services', 'http', 'performanceHints', 'status', 'stagedAction', 'defaultAction'],
]);
/** The value false means the same as absent. */
const switches = new Set(['doNotTrack', 'applyOnForward', 'preDNAT']);
/** Their values are data; an empty value counts. */
const dataFields = new Set(['labels', 'matchLabels', 'annotations', 'values']);

/**
 * Drops fields that the API server treats as absent, such as Calico's `selector: ''` and Kubernetes' `policyTypes: []`.
 */
function withoutEmpty(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutEmpty);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, child]: [string, unknown]) => {
      if (switches.has(key) && child === false) return [];
      const isEmpty = child === null || child === '' || (Array.isArray(child) && child.length === 0);
      if (isEmpty && optionalFields.has(key)) return [];
      return [[key, dataFields.has(key) ? child : withoutEmpty(child)]];
    }),
  );
}

function describeIssue(place: string, issue: z.core.$ZodIssue): string[] {
  const path = issue.path.join('.');
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => `${place}: ${path === '' ? '' : `${path}.`}${key} is not supported`);
  return [`${place}: ${path} ${issue.message.replace(/^Invalid input: /, '')}`];
}
