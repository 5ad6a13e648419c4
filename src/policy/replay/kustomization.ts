import { posix } from 'node:path';
import { z } from 'zod';
import type { PlacedDocument } from './yaml-documents.ts';

const shape = z.looseObject({
  namespace: z.string().optional(),
  resources: z.array(z.string()).default([]),
});

/** Fields with which kustomize changes or adds policies; only `namespace` is applied here. */
const changes = [
  ...['patches', 'patchesStrategicMerge', 'patchesJson6902', 'components', 'replacements', 'transformers'],
  ...['namePrefix', 'nameSuffix', 'commonLabels', 'labels', 'vars', 'helmCharts', 'generators'],
];

interface Kustomization {
  readonly place: string;
  readonly path: string;
  readonly namespace: string | undefined;
  /** The files and folders that it lists, relative to the same folder as the paths. */
  readonly resources: readonly string[];
  readonly unapplied: readonly string[];
}

/** What the kustomizations of a folder change in the manifests next to them. */
interface Kustomizations {
  /** The namespace of a file: of the outermost kustomization that lists it and sets one. */
  readonly namespaceOf: (path: string) => string | undefined;
  /** What kustomize would change in a file, as sentences. */
  readonly notesOn: (path: string) => readonly string[];
}

export function readKustomizations(documents: readonly PlacedDocument[]): Kustomizations {
  const all = documents.flatMap(asKustomization);
  const listing = (path: string) => all.filter((each) => lists(each, path));
  return {
    namespaceOf: (path) => {
      const named = listing(path).filter(({ namespace }) => namespace !== undefined);
      // kustomize applies the inner one first and the outer one to its result.
      const outermost = named.find(
        (each) => !named.some((other) => other !== each && lists(other, each.path)),
      );
      return (outermost ?? named[0])?.namespace;
    },
    notesOn: (path) =>
      listing(path).flatMap(({ place, unapplied }) =>
        unapplied.length === 0
          ? []
          : [
              `${place} uses ${unapplied.join(', ')}, which the replay does not apply; for exact results, replay the output of kustomize build`,
            ],
      ),
  };
}

function asKustomization({ path, place, value }: PlacedDocument): Kustomization[] {
  if (value['kind'] !== 'Kustomization' && !/(^|\/)[Kk]ustomization(\.ya?ml)?$/.test(path)) return [];
  const parsed = shape.safeParse(value);
  if (!parsed.success) return [];
  const folder = posix.dirname(path);
  const { namespace, resources } = parsed.data;
  return [
    {
      place,
      path,
      namespace,
      resources: resources.map((resource) => posix.join(folder, resource)),
      unapplied: changes.filter((field) => field in value),
    },
  ];
}

function lists({ resources }: Kustomization, path: string): boolean {
  return resources.some(
    (resource) => path === resource || path.startsWith(`${resource.replace(/\/$/, '')}/`),
  );
}
