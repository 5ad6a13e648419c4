import { similarTo } from '../text/similar.ts';
import type { Query } from '../trail/database.ts';
import { allNamespaces, seenNamespaces } from '../trail/seen-namespaces.ts';

/** A namespace without any flow, and known namespaces with similar names. */
export interface UnknownNamespace {
  namespace: string;
  similar: string[];
}

/** @throws DatabaseFailure */
export async function findUnknownNamespaces(
  query: Query,
  asked: readonly (string | undefined)[],
): Promise<UnknownNamespace[]> {
  const names = [...new Set(asked.filter((name) => name !== undefined))];
  if (names.length === 0) return [];
  const seen = new Set(await seenNamespaces(query, names));
  const unknown = names.filter((name) => !seen.has(name));
  if (unknown.length === 0) return [];
  const known = await allNamespaces(query);
  return unknown.map((namespace) => ({ namespace, similar: similarTo(namespace, known) }));
}
