import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { composeDigest } from '../../../src/reports/digest.ts';
import { headlineOf, questionFor } from '../../../src/reports/digest-wording.ts';
import { digestText } from '../../../src/cli/output/digest-text.ts';
import { digestInput, edge, now, yesterday } from './digests.ts';

const compose = (change: Parameters<typeof digestInput>[0] = {}) => composeDigest(digestInput(change));

test('edges are grouped by source; denied edges and sources with denied edges come first', () => {
  const { groups } = compose({
    edges: [
      edge({ srcNs: 'auth', dstNs: 'dbaas' }),
      edge({ srcNs: 'shop', dstNs: 'billing' }),
      edge({ srcNs: 'shop', dstNs: 'zoo', action: 'deny' }),
      edge({ srcNs: 'shop', dstNs: 'billing', action: 'deny' }),
    ],
  });
  expect(groups.map(({ srcNs, denied }) => [srcNs, denied])).toEqual([
    ['shop', 2],
    ['auth', 0],
  ]);
  expect(groups[0]?.edges.map(({ dstNs, action }) => `${dstNs} ${action}`)).toEqual([
    'billing deny',
    'zoo deny',
    'billing allow',
  ]);
});

test('every edge is announced exactly once, for any order', () => {
  const some = fc.uniqueArray(
    fc.record({
      srcNs: fc.constantFrom('a', 'b', 'c'),
      dstNs: fc.string({ maxLength: 3 }),
      action: fc.constantFrom('allow', 'deny', 'pass', 'unspecified'),
    }),
    { selector: (key) => JSON.stringify(key) },
  );
  fc.assert(
    fc.property(some, (keys) => {
      const report = compose({ edges: keys.map((key) => edge(key)) });
      const listed = report.groups.flatMap((group) =>
        group.edges.map(({ srcNs, dstNs, action }) => {
          expect(srcNs).toBe(group.srcNs);
          return JSON.stringify({ srcNs, dstNs, action });
        }),
      );
      expect(listed.toSorted()).toEqual(keys.map((key) => JSON.stringify(key)).toSorted());
      expect(report.edges).toBe(keys.length);
      expect(report.denied).toBe(keys.filter(({ action }) => action === 'deny').length);
    }),
  );
});

describe('found late', () => {
  const late = (firstSeen: string, previousDoneAt: Date | undefined = yesterday) =>
    compose({ edges: [edge({ firstSeen: new Date(firstSeen) })], previousDoneAt }).late;

  test('applies to an edge first seen well before the previous digest', () => {
    expect(late('2026-11-21T12:00:00Z')).toBe(1);
    expect(late('2026-11-22T07:58:00Z')).toBe(1);
  });

  test('does not apply to an edge that could not have been in that digest', () => {
    expect(late('2026-11-22T07:59:30Z')).toBe(0);
    expect(late('2026-11-22T08:00:00Z')).toBe(0);
  });

  test('applies to no edge of the first digest', () => {
    expect(compose({ edges: [edge({ firstSeen: new Date(0) })], previousDoneAt: undefined }).late).toBe(0);
  });
});

describe('times', () => {
  const firstSeenText = (change: Parameters<typeof digestInput>[0], firstSeen: string) =>
    compose({ ...change, edges: [edge({ firstSeen: new Date(firstSeen) })] }).groups[0]?.edges[0]?.firstSeen;

  test('are in the configured zone', () => {
    expect(firstSeenText({}, '2026-11-23T07:41:00Z')).toBe('Mon 23 Nov 07:41');
    expect(firstSeenText({ timeZone: 'Asia/Kolkata' }, '2026-11-23T07:41:00Z')).toBe('Mon 23 Nov 13:11');
  });

  test('include the zone if the clocks changed, because 01:30 occurs twice', () => {
    const change = {
      previousPostedAt: new Date('2026-10-24T07:00:00Z'),
      now: new Date('2026-10-25T08:00:00Z'),
    };
    expect(firstSeenText(change, '2026-10-25T00:30:00Z')).toBe('Sun 25 Oct 01:30 BST');
    expect(firstSeenText(change, '2026-10-25T01:30:00Z')).toBe('Sun 25 Oct 01:30 GMT');
  });

  test('of the period start at the previous digest; the first digest covers a day', () => {
    const previousPostedAt = new Date('2026-11-20T08:00:00Z');
    expect(compose({ previousPostedAt })).toMatchObject({
      from: 'Fri 20 Nov 08:00 GMT',
      to: 'Mon 23 Nov 08:00 GMT',
    });
    expect(compose({ previousPostedAt: undefined }).from).toBe('Sun 22 Nov 08:00 GMT');
  });
});

test.each([
  [0, 0, 'No new edge'],
  [1, 0, '1 new edge'],
  [1, 1, '1 new edge, denied'],
  [12, 2, '12 new edges, 2 of them denied'],
  [3, 3, '3 new edges, all of them denied'],
  [5_000, 1_200, '5,000 new edges, 1,200 of them denied'],
])('%d edges, %d denied: %s', (all, denied, headline) => {
  expect(headlineOf({ edges: all, denied })).toBe(headline);
});

test('edges treated as known are mentioned until a digest was posted', () => {
  expect(compose({ takenAsKnown: 318, previousPostedAt: undefined }).takenAsKnown).toBe(318);
  expect(compose({ takenAsKnown: 318 }).takenAsKnown).toBe(0);
});

test('the query lists exactly the edges of this digest', () => {
  expect(questionFor(compose())).toBe('flow-trail digest show digest/2026-11-23T08:00:00Z');
});

test('edges to namespaces with data are grouped by destination', () => {
  const { toData } = compose({
    edges: [
      edge({ srcNs: 'shop', dstNs: 'dbaas' }),
      edge({ srcNs: 'auth', dstNs: 'dbaas' }),
      edge({ srcNs: 'auth', dstNs: 'dbaas', action: 'deny' }),
      edge({ srcNs: 'auth', dstNs: 'billing' }),
    ],
  });
  expect(toData).toEqual([{ dstNs: 'dbaas', srcNs: ['auth', 'shop'] }]);
});

test('only the first digest introduces the trail', () => {
  const trail = { since: yesterday, namespaces: 90, edges: 390 };
  const deniedEdges = [{ srcNs: 'shop', dstNs: 'vault' }];
  expect(compose({ trail, deniedEdges }).introduction).toBeUndefined();
  expect(compose({ trail, deniedEdges, previousPostedAt: undefined }).introduction).toMatchObject({
    namespaces: 90,
    edges: 390,
    denied: 1,
    deniedBySource: [{ srcNs: 'shop', dstNs: ['vault'] }],
  });
});

describe('the text for a terminal', () => {
  test('contains every edge and unobserved time', () => {
    const from = yesterday.getTime() / 1000;
    const text = digestText(
      compose({
        edges: [edge(), edge({ dstNs: 'zoo', action: 'deny', flowCount: '1' })],
        coverage: [
          { fromSeconds: from, toSeconds: from + 5_400, state: 'gap', cause: 'Goldmane was down' },
          { fromSeconds: from + 5_400, toSeconds: now.getTime() / 1000, state: 'final' },
        ],
      }),
    );
    expect(text.split('\n')).toEqual([
      '2 new edges, 1 of them denied, from Sun 22 Nov 08:00 GMT to Mon 23 Nov 08:00 GMT (Europe/London)',
      'Not observed: 1 h 30 min, in 1 gap.',
      'Sun 22 Nov 08:00 to Sun 22 Nov 09:30 (1 h 30 min): Goldmane was down',
      '',
      'shop',
      '  -> zoo  DENIED  since Mon 23 Nov 07:41, 1 flow',
      '  -> billing  allow  since Mon 23 Nov 07:41, 12 flows',
    ]);
  });

  test('escapes names for the terminal', () => {
    const text = digestText(compose({ edges: [edge({ dstNs: 'red\u001b[31m\u202etxt' })] }));
    expect(text).toContain(String.raw`red\u{1b}[31m\u{202e}txt`);
    expect(text.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  });
});
