import type { AddressSet } from './address-sets.ts';
import { known, not, type Answer } from './answer.ts';

/**
 * The value of a label (`undefined` if absent) or, if the value is not stored, the answer to the test itself.
 */
export type LabelLookup = (label: string, test: LabelTest) => { readonly value: string | undefined } | Answer;

/** A test of a label's value. An absent label fails every test. */
export interface LabelTest {
  /** Equal texts are equal tests. */
  readonly text: string;
  readonly holds: (value: string) => boolean;
  /** The only values that pass, if they can be listed. */
  readonly values?: readonly string[];
  /** For a test of an end's address: the addresses that it can have, and those that pass. */
  readonly addresses?: { readonly within: AddressSet; readonly asked: AddressSet };
}

/** A label selector, compiled. */
export type Selector = (labels: LabelLookup) => Answer;

/** A selector that violates Calico's grammar or uses an unknown function. */
export class SelectorError extends Error {
  /** `has no operator at "= 'web'"`. */
  readonly problem: string;

  constructor(selector: string, problem: string) {
    super(`the selector ${JSON.stringify(selector)} ${problem}`);
    this.name = 'SelectorError';
    this.problem = problem;
  }
}

/** Whether the label has one of these values. */
export function valueIn(key: string, values: readonly string[]): Selector {
  return labelTest(key, {
    text: `in ${JSON.stringify(values.toSorted())}`,
    holds: (value) => values.includes(value),
    values,
  });
}

/** The text of the test that every value passes. */
export const isThere = 'is there';

/** Whether the label exists. */
export function has(key: string): Selector {
  return labelTest(key, { text: isThere, holds: () => true });
}

/** Whether the label's value passes the test. */
export function labelTest(key: string, asked: LabelTest): Selector {
  return (labels) => {
    const found = labels(key, asked);
    if (typeof found === 'string') return found;
    return known(found.value !== undefined && asked.holds(found.value));
  };
}

/** Reads labels under names with a prefix. */
export function withPrefix(prefix: string, selector: Selector): Selector {
  return (labels) => selector((label, test) => labels(prefix + label, test));
}

export function negated(selector: Selector): Selector {
  return (labels) => not(selector(labels));
}
