import { similarTo } from '../text/similar.ts';
import type { Query } from '../trail/database/database.ts';
import { allIdentities, seenIdentities } from '../trail/facts/seen-identities.ts';
import { allNamespaces, seenNamespaces } from '../trail/edges/seen-namespaces.ts';

/** A name that no flow has, and known names that are similar. */
export interface UnknownName {
  readonly kind: 'namespace' | 'service identity';
  readonly name: string;
  readonly similar: readonly string[];
}

type Asked = readonly (string | undefined)[];

interface Source {
  readonly kind: UnknownName['kind'];
  readonly seen: (query: Query, names: readonly string[]) => Promise<string[]>;
  readonly all: (query: Query) => Promise<string[]>;
}

/** @throws DatabaseFailure */
export function findUnknownNamespaces(query: Query, asked: Asked): Promise<UnknownName[]> {
  return findUnknown(query, asked, { kind: 'namespace', seen: seenNamespaces, all: allNamespaces });
}

/** @throws DatabaseFailure */
export function findUnknownIdentities(query: Query, asked: Asked): Promise<UnknownName[]> {
  return findUnknown(query, asked, { kind: 'service identity', seen: seenIdentities, all: allIdentities });
}

/** All names are read only to suggest some for a name that was never seen. */
async function findUnknown(query: Query, asked: Asked, { kind, seen, all }: Source): Promise<UnknownName[]> {
  const names = [...new Set(asked.filter((name) => name !== undefined))];
  if (names.length === 0) return [];
  const known = new Set(await seen(query, names));
  const unknown = names.filter((name) => !known.has(name));
  if (unknown.length === 0) return [];
  const everyName = await all(query);
  return unknown.map((name) => ({ kind, name, similar: similarTo(name, everyName) }));
}
