import { similarTo } from '../text/similar.ts';
import type { Query } from '../trail/database.ts';
import { allIdentities } from '../trail/seen-identities.ts';
import { allNamespaces, seenNamespaces } from '../trail/seen-namespaces.ts';

/** A name that no flow has, and known names that are similar. */
export interface UnknownName {
  readonly kind: 'namespace' | 'service identity';
  readonly name: string;
  readonly similar: readonly string[];
}

/** @throws DatabaseFailure */
export async function findUnknownNamespaces(
  query: Query,
  asked: readonly (string | undefined)[],
): Promise<UnknownName[]> {
  const names = distinct(asked);
  if (names.length === 0) return [];
  const seen = new Set(await seenNamespaces(query, names));
  const unknown = names.filter((name) => !seen.has(name));
  if (unknown.length === 0) return [];
  const known = await allNamespaces(query);
  return unknown.map((name) => ({ kind: 'namespace', name, similar: similarTo(name, known) }));
}

/** @throws DatabaseFailure */
export async function findUnknownIdentities(
  query: Query,
  asked: readonly (string | undefined)[],
): Promise<UnknownName[]> {
  const names = distinct(asked);
  if (names.length === 0) return [];
  const known = await allIdentities(query);
  return names
    .filter((name) => !known.includes(name))
    .map((name) => ({ kind: 'service identity', name, similar: similarTo(name, known) }));
}

function distinct(asked: readonly (string | undefined)[]): string[] {
  return [...new Set(asked.filter((name) => name !== undefined))];
}
