import { z } from 'zod';
import type { PlacedDocument } from './yaml-documents.ts';

const kustomization = z.looseObject({
  namespace: z.string().optional(),
  resources: z.array(z.string()).default([]),
});

/**
 * The namespace that a kustomization sets for the files it lists, from the nearest kustomization; undefined if there is
 * none.
 */
export function kustomizedNamespaces(
  documents: readonly PlacedDocument[],
): (path: string) => string | undefined {
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
