import type { UnknownName } from '../../queries/unknown-names.ts';
import { note } from './output.ts';

/** Warnings about names that have never been seen, with suggestions of similar ones. */
export function noteUnknownNames(unknown: readonly UnknownName[]): void {
  for (const text of unknownNameTexts(unknown)) note(text);
}

export function unknownNameTexts(unknown: readonly UnknownName[]): string[] {
  return unknown.map(
    ({ kind, name, similar }) =>
      `${kind} ${name} has never been seen in a flow; ${
        similar.length > 0 ? `did you mean ${similar.join(' or ')}?` : 'check the spelling'
      }`,
  );
}

/** The names that none of several clusters has seen. */
export function unknownEverywhere(answers: readonly (readonly UnknownName[])[]): UnknownName[] {
  const [first = [], ...others] = answers;
  const isSame = (a: UnknownName, b: UnknownName) => a.kind === b.kind && a.name === b.name;
  return first
    .filter((asked) => others.every((other) => other.some((each) => isSame(each, asked))))
    .map((asked) => ({
      ...asked,
      similar: [...new Set(answers.flat().flatMap((each) => (isSame(each, asked) ? [...each.similar] : [])))],
    }));
}
