import type { UnknownNamespace } from '../queries/unknown-namespaces.ts';
import { note } from './output.ts';

/** Warnings about namespaces that have never been seen, with suggestions of similar names. */
export function noteUnknownNamespaces(unknown: readonly UnknownNamespace[]): void {
  for (const text of unknownNamespaceTexts(unknown)) note(text);
}

export function unknownNamespaceTexts(unknown: readonly UnknownNamespace[]): string[] {
  return unknown.map(
    ({ namespace, similar }) =>
      `namespace ${namespace} has never been seen in a flow; ${
        similar.length > 0 ? `did you mean ${similar.join(' or ')}?` : 'check the spelling'
      }`,
  );
}

/** The namespaces that none of several clusters has seen. */
export function unknownEverywhere(answers: readonly (readonly UnknownNamespace[])[]): UnknownNamespace[] {
  const [first = [], ...others] = answers;
  return first
    .filter(({ namespace }) => others.every((other) => other.some((each) => each.namespace === namespace)))
    .map(({ namespace }) => ({
      namespace,
      similar: [
        ...new Set(answers.flat().flatMap((each) => (each.namespace === namespace ? each.similar : []))),
      ],
    }));
}
