import { intersect, subtract, type AddressSet } from './address-sets.ts';
import { known, type Answer } from './answer.ts';
import { isThere, type LabelTest } from './selector.ts';

/** Gives the result of a test of a label that is not stored. */
export type Assume = (label: string, test: LabelTest) => Answer;

/** With more cases than this, the answer stays `unknown`. */
const maxWorlds = 4_096;

/** Records the tests made on unknown labels, and finds every consistent combination of answers. */
export class AskedTests {
  readonly #tests = new Map<string, Map<string, LabelTest>>();

  note(label: string, test: LabelTest): Answer {
    const known = this.#tests.get(label);
    if (known) known.set(test.text, test);
    else this.#tests.set(label, new Map([[test.text, test]]));
    return 'unknown';
  }

  /** Every possible combination of answers, made as they are read; undefined if there are too many. */
  worlds(): Iterable<Assume> | undefined {
    const labels: LabelWays[] = [];
    let count = 1;
    for (const [label, tests] of this.#tests) {
      const ways = possibleAnswers([...tests.values()]);
      count *= ways?.length ?? Number.POSITIVE_INFINITY;
      if (ways === undefined || count > maxWorlds) return undefined;
      labels.push({ label, ways });
    }
    return combinations(labels, count);
  }
}

interface LabelWays {
  readonly label: string;
  readonly ways: readonly Way[];
}

function* combinations(labels: readonly LabelWays[], count: number): Generator<Assume> {
  for (let number = 0; number < count; number += 1) {
    const results = new Map<string, boolean>();
    let rest = number;
    for (const { label, ways } of labels) {
      for (const [text, result] of ways[rest % ways.length] ?? []) results.set(`${label} ${text}`, result);
      rest = Math.floor(rest / ways.length);
    }
    yield (label, test) => {
      const result = results.get(`${label} ${test.text}`);
      return result === undefined ? 'unknown' : known(result);
    };
  }
}

type Way = [text: string, holds: boolean][];

/** The combinations of results that the tests of one label can have; includes every possible one. */
function possibleAnswers(tests: readonly LabelTest[]): Way[] | undefined {
  const [first] = tests;
  if (first?.addresses) return possiblePlaces(tests, first.addresses.within);
  if (2 ** tests.length > maxWorlds) return undefined;
  const ways: Way[] = [];
  for (let bits = 0; bits < 2 ** tests.length; bits += 1) {
    const passes = (index: number) => (bits & (1 << index)) !== 0;
    if (isPossible(tests, passes)) ways.push(tests.map(({ text }, index) => [text, passes(index)]));
  }
  return ways;
}

/** Each part of the addresses that an end can have for which the tests give different results. */
function possiblePlaces(tests: readonly LabelTest[], within: AddressSet): Way[] | undefined {
  let parts: { addresses: AddressSet; way: Way[number][] }[] = [{ addresses: within, way: [] }];
  for (const { text, addresses } of tests) {
    parts = parts.flatMap(({ addresses: part, way }) =>
      [
        { addresses: intersect(part, addresses?.asked ?? []), way: [...way, holds(text, true)] },
        { addresses: subtract(part, addresses?.asked ?? []), way: [...way, holds(text, false)] },
      ].filter((each) => each.addresses.length > 0),
    );
    if (parts.length > maxWorlds) return undefined;
  }
  return parts.map(({ way }) => way);
}

function holds(text: string, result: boolean): Way[number] {
  return [text, result];
}

function isPossible(tests: readonly LabelTest[], passes: (index: number) => boolean): boolean {
  // The label is absent.
  if (!tests.some((_, index) => passes(index))) return true;
  const fits = (value: string) => tests.every(({ holds }, index) => holds(value) === passes(index));
  const listed = tests.find(({ values }, index) => values !== undefined && passes(index));
  if (listed?.values) return listed.values.some(fits);
  // A value that no test lists; only a test that every value passes can contradict it.
  return tests.every(({ text }, index) => text !== isThere || passes(index));
}
