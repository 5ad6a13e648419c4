import { expect, test } from 'vitest';
import type { MapData } from '../../../src/queries/map-data.ts';
import { selfContainedPage } from '../../../src/web/map-page.ts';

const page = {
  html: '<html><head></head><body><script id="map-data" type="application/json"></script></body></html>',
  policy: "default-src 'none'; frame-ancestors 'none'",
};
const hostile = '</script><script>alert(1)</script><!--\u2028';
const data: MapData = {
  madeAt: '2026-11-27T12:00:00.000Z',
  timeZone: 'UTC',
  cluster: hostile,
  temporalUiUrl: null,
  trailBegan: null,
  namespaces: [],
  edges: [],
  externals: [],
  externalDays: 30,
  coverage: [],
  isFile: true,
};

test('no name can end the element that contains the data, and the data round-trips', () => {
  const html = selfContainedPage(page, data);
  expect(html.match(/<script/g)).toHaveLength(1);
  const json = /type="application\/json">(.*?)<\/script>/s.exec(html)?.[1] ?? '';
  expect(JSON.parse(json)).toEqual(data);
});

test('a file contains the content security policy that the server sends', () => {
  expect(selfContainedPage(page, data)).toContain(
    `<head><meta http-equiv="Content-Security-Policy" content="default-src 'none'">`,
  );
});
