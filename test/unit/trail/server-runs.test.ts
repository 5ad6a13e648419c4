import { beforeEach, describe, expect, test } from 'vitest';
import { saltedHasher, unsaltedHasher } from '../../../src/trail/merge/record-hash.ts';
import { ServerRuns } from '../../../src/trail/coverage-ranges/server-run.ts';

const hasher = saltedHasher(Buffer.alloc(32, 7));
let runs: ServerRuns;
beforeEach(() => {
  runs = new ServerRuns();
});

/** Ids by content; each id is one flow key. */
function ids(entries: Record<number, number | number[]>): ReadonlyMap<string, number[]> {
  return new Map(Object.entries(entries).map(([content, list]) => [content, [list].flat()]));
}

/** `count` contents from 1, each with its id. */
function keys(count: number, idOf: (content: number) => number) {
  return ids(Object.fromEntries(Array.from({ length: count }, (_, index) => [index + 1, idOf(index + 1)])));
}

describe('the first server run', () => {
  test('is accepted, and settles everything', () => {
    expect(runs.suspects(ids({ 1: 1 }))).toBe(false);
    expect(runs.firstSeenSeconds).toBe(Number.NEGATIVE_INFINITY);
  });
});

describe('a response', () => {
  beforeEach(() => {
    runs.remember(keys(20, (content) => content));
    runs.trust();
  });

  test('with known ids is accepted', () => {
    expect(runs.suspects(keys(20, (content) => content))).toBe(false);
  });

  test('in which the ids of recurring keys have changed is of another run, even if a few coincide by chance', () => {
    const other = keys(20, (hash) => (hash <= 9 ? hash : hash + 1_000));
    expect(runs.suspects(other)).toBe(true);
    expect(runs.differs(other)).toBe(true);
  });

  test('in which some keys have new ids, because they were idle for an hour, is of the same run', () => {
    const idled = keys(20, (hash) => (hash <= 10 ? hash : hash + 1_000));
    expect(runs.differs(idled)).toBe(false);
    expect(runs.suspects(idled)).toBe(false);
  });

  test('in which the only known key has a new id requires another check, and is not decided by that', () => {
    expect(runs.suspects(ids({ 7: 1_007, 99: 99 }))).toBe(true);
  });

  test('without common keys is accepted on an unbroken connection', () => {
    expect(runs.suspects(ids({ 99: 1 }))).toBe(false);
  });

  test('without records changes nothing', () => {
    runs.doubt();
    expect(runs.suspects(new Map())).toBe(false);
  });
});

describe('after a broken connection', () => {
  beforeEach(() => {
    runs.remember(keys(20, (content) => content));
    runs.trust();
    runs.doubt();
  });

  test('every response requires another check, until the run is recognised', () => {
    expect(runs.suspects(keys(20, (content) => content))).toBe(true);
    runs.trust();
    expect(runs.suspects(keys(20, (content) => content))).toBe(false);
  });

  test('a response without common ids counts as another run, because a false gap is better than a false settled bucket', () => {
    expect(runs.knows(ids({ 99: 1 }))).toBe(false);
    expect(runs.differs(ids({ 99: 1 }))).toBe(true);
  });
});

describe('a connection with several keys', () => {
  test('is recognised by any of its ids', () => {
    runs.remember(ids({ 1: [5, 6] }));
    runs.remember(ids({ 1: 7 }));
    for (const id of [5, 6, 7]) expect(runs.differs(ids({ 1: id }))).toBe(false);
    expect(runs.differs(ids({ 1: 8 }))).toBe(true);
    expect(runs.differs(ids({ 1: [8, 6] }))).toBe(false);
  });

  test('is recognised by the next worker too', () => {
    runs.remember(ids({ 1: [1, 2, 3, 4, 5, 6] }));
    const next = new ServerRuns();
    next.restore(runs.pack(hasher), 0, hasher);
    for (const id of [1, 2, 3, 4, 5, 6]) expect(next.differs(ids({ 1: id }))).toBe(false);
  });
});

describe('another run', () => {
  test('settles only buckets that begin after it was first seen, and has none of the previous ids', () => {
    runs.remember(ids({ 1: 1 }));
    for (const [seen, first] of [
      [1_800_000_000, 1_800_000_015],
      [1_800_000_001.5, 1_800_000_015],
      [1_800_000_014.9, 1_800_000_015],
    ] as const) {
      runs.begin(seen);
      expect(runs.firstSeenSeconds).toBe(first);
    }
    expect(runs.knows(ids({ 1: 1 }))).toBe(false);
  });
});

describe('the next worker', () => {
  test('continues with the same run after checking it', () => {
    runs.remember(keys(100, (content) => content * 3));
    const next = new ServerRuns();
    next.restore(runs.pack(hasher), 1_800_000_015, hasher);
    expect(next.firstSeenSeconds).toBe(1_800_000_015);
    expect(next.suspects(keys(100, (content) => content * 3))).toBe(true);
    expect(next.differs(keys(100, (content) => content * 3))).toBe(false);
    expect(next.differs(keys(100, (content) => content * 3 + 1))).toBe(true);
  });

  test('receives a bounded number of the latest keys', () => {
    runs.remember(keys(10_000, (content) => content));
    runs.remember(ids({ 50: 50 }));
    const packed = runs.pack(hasher);
    expect(packed.length).toBe(256 * 16);
    const next = new ServerRuns();
    next.restore(packed, 0, hasher);
    expect(next.knows(ids({ 50: 1 }))).toBe(true);
    expect(next.knows(ids({ 10_000: 1 }))).toBe(true);
    expect(next.knows(ids({ 1: 1 }))).toBe(false);
  });

  test('supports ids of 53 bits', () => {
    runs.remember(ids({ 1: Number.MAX_SAFE_INTEGER }));
    const next = new ServerRuns();
    next.restore(runs.pack(hasher), 0, hasher);
    expect(next.differs(ids({ 1: Number.MAX_SAFE_INTEGER }))).toBe(false);
  });

  test('receives the keys of a worker without the salt, with salted hashes', () => {
    runs.remember(keys(20, (content) => content));
    const next = new ServerRuns();
    next.restore(runs.pack(unsaltedHasher), 0, unsaltedHasher);
    next.remember(keys(10, (content) => content));
    const third = new ServerRuns();
    third.restore(next.pack(hasher), 0, hasher);
    expect(third.differs(keys(10, (content) => content))).toBe(false);
    expect(third.knows(ids({ 11: 11 }))).toBe(false);
  });

  test('also receives keys that did not recur', () => {
    runs.remember(keys(20, (content) => content));
    const next = new ServerRuns();
    next.restore(runs.pack(hasher), 0, hasher);
    next.remember(ids({ 1: 1 }));
    const third = new ServerRuns();
    third.restore(next.pack(hasher), 0, hasher);
    expect(third.differs(ids({ 1: 1 }))).toBe(false);
    expect(third.differs(ids({ 20: 20 }))).toBe(false);
  });
});

test('memory is bounded: the oldest entry is dropped', () => {
  runs.remember(keys(4_096, (content) => content));
  runs.remember(ids({ 9_999: 1 }));
  expect(runs.knows(ids({ 1: 1 }))).toBe(false);
  expect(runs.knows(ids({ 2: 2 }))).toBe(true);
});
