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
}

/** A label selector, compiled. */
export type Selector = (labels: LabelLookup) => Answer;

/** A selector that violates Calico's grammar or uses an unknown function. */
export class SelectorError extends Error {
  constructor(selector: string, problem: string) {
    super(`the selector ${JSON.stringify(selector)} ${problem}`);
    this.name = 'SelectorError';
  }
}

/** Fits labels whose value is one of these. */
export function valueIn(key: string, values: readonly string[]): Selector {
  return labelTest(key, {
    text: `in ${JSON.stringify(values.toSorted())}`,
    holds: (value) => values.includes(value),
    values,
  });
}

/** Fits labels that are there. */
export function has(key: string): Selector {
  return labelTest(key, { text: 'is there', holds: () => true });
}

/** Fits labels whose value passes the test. */
export function labelTest(key: string, asked: LabelTest): Selector {
  return (labels) => {
    const found = labels(key, asked);
    if (typeof found === 'string') return found;
    return known(found.value !== undefined && asked.holds(found.value));
  };
}

export function negated(selector: Selector): Selector {
  return (labels) => not(selector(labels));
}
