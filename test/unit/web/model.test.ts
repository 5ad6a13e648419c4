import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { MapData, MapEdge } from '../../../src/queries/map-data.ts';
import {
  filterEdges,
  findHubs,
  islands,
  changesByPair,
  pairKey,
  pairsOf,
} from '../../../src/web/page/model.ts';
import { formatRoute, noFilters, parseRoute, views } from '../../../src/web/page/route.ts';

function edge(src: string, dst: string, change: Partial<MapEdge> = {}): MapEdge {
  return {
    src,
    dst,
    action: 'allow',
    firstSeen: '2026-11-20T00:00:00.000Z',
    lastSeen: '2026-11-27T00:00:00.000Z',
    flows: '1',
    ...change,
  };
}

const dataOf = (edges: MapEdge[]): MapData => ({
  madeAt: '2026-11-27T12:00:00.000Z',
  timeZone: 'UTC',
  cluster: '',
  temporalUiUrl: null,
  trailBegan: null,
  namespaces: [],
  edges,
  externals: [],
  externalDays: 30,
  coverage: [],
  isFile: false,
});

describe('filters', () => {
  const data = dataOf([
    edge('immich', 'dbaas'),
    edge('immich', 'redis', { action: 'deny' }),
    edge('old', 'dbaas', { lastSeen: '2026-11-01T00:00:00.000Z' }),
    edge('fresh', 'web', { firstSeen: '2026-11-27T11:00:00.000Z' }),
  ]);
  const shown = (change: object) =>
    filterEdges(data, { ...noFilters, ...change }).map(({ src, dst }) => `${src} ${dst}`);

  test('no filter shows all edges', () => expect(shown({})).toHaveLength(4));
  test('a search matches either end', () =>
    expect(shown({ search: ' DBA' })).toEqual(['immich dbaas', 'old dbaas']));
  test('an action matches exactly', () => expect(shown({ action: 'deny' })).toEqual(['immich redis']));
  test('age hides edges without recent traffic', () =>
    expect(shown({ seenWithinDays: 7 })).not.toContain('old dbaas'));
  test('new within shows edges first seen recently', () =>
    expect(shown({ newWithinDays: 1 })).toEqual(['fresh web']));
  test('the slider hides edges first seen later', () =>
    expect(shown({ firstSeenUntil: Date.parse('2026-11-21') })).not.toContain('fresh web'));
});

test('a pair shows whether all of its edges are allowed, denied or both', () => {
  const kinds = pairsOf([
    edge('a', 'b'),
    edge('a', 'c', { action: 'deny' }),
    edge('a', 'd'),
    edge('a', 'd', { action: 'deny' }),
    edge('a', 'e', { action: 'pass' }),
  ]).map(({ dst, kind }) => `${dst} ${kind}`);
  expect(kinds).toEqual(['b allowed', 'c denied', 'd mixed', 'e other']);
});

test('a namespace with many peers is a hub and does not connect islands', () => {
  const names = Array.from({ length: 20 }, (_, index) => `n${String(index).padStart(2, '0')}`);
  const pairs = pairsOf([
    ...names.map((name) => edge(name, 'dbaas')),
    edge('n00', 'n01'),
    edge('n02', 'n01'),
  ]);
  const hubs = findHubs(pairs);
  expect([...hubs]).toEqual(['dbaas']);
  const groups = islands(names, pairs, hubs);
  expect(groups[0]).toEqual(['n00', 'n01', 'n02']);
  expect(groups).toHaveLength(18);
});

test('islands contain every namespace except hubs exactly once', () => {
  const name = fc.stringMatching(/^[a-f]$/);
  fc.assert(
    fc.property(fc.array(fc.tuple(name, name)), (links) => {
      const pairs = pairsOf(links.map(([src, dst]) => edge(src, dst)));
      const names = [...new Set(links.flat())].toSorted();
      const hubs = findHubs(pairs);
      const placed = [...islands(names, pairs, hubs).flat(), ...hubs].toSorted();
      expect(placed).toEqual(names);
    }),
  );
});

test('every URL of the page restores its view', () => {
  const route = fc.record({
    view: fc.constantFrom(...views),
    namespace: fc.string(),
    filters: fc.record({
      search: fc.string(),
      action: fc.constantFrom('', 'allow', 'deny', 'pass', 'unspecified' as const),
      seenWithinDays: fc.nat(),
      newWithinDays: fc.nat(),
      firstSeenUntil: fc.nat(),
      identity: fc.string(),
      externals: fc.constantFrom('', 'show', 'only' as const),
    }),
    show: fc.constantFrom('list' as const, 'map' as const),
    from: fc.string(),
    to: fc.string(),
  });
  fc.assert(
    fc.property(route, (given) => {
      expect(parseRoute(formatRoute(given))).toEqual(given);
    }),
  );
});

test('an unknown URL shows the overview', () => {
  for (const hash of ['', '#', '#/nothing', '#/%E0%A4%A', '#/matrix/%zz?seen=x&new=-1&action=drop'])
    expect(() => parseRoute(hash)).not.toThrow();
  expect(parseRoute('#/nothing/x').view).toBe('overview');
});

test('a pair whose action changed is shown as changed, not as new', () => {
  const edge = { src: 'a', dst: 'b', action: 'deny', firstSeen: '', lastSeen: '', flows: '1' };
  const changes = {
    ...{ from: '', to: '', silentDays: 7, notCovered: [], fellSilent: [], deniedToAllowed: [] },
    newPorts: [],
  };
  const other = { ...edge, dst: 'c' };
  expect(changesByPair({ ...changes, appeared: [edge, other], allowedToDenied: [edge] })).toEqual(
    new Map([
      [pairKey(edge), 'now-denied'],
      [pairKey(other), 'appeared'],
    ]),
  );
});
