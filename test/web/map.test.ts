import { createRequire } from 'node:module';
import { mkdir, writeFile } from 'node:fs/promises';
import type { Server } from 'node:http';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { ensureMapPage } from '../../dev/build-map-page.ts';
import type { DetailRow, MapData, MapEdge } from '../../src/queries/map-data.ts';
import { loadMapPage, selfContainedPage } from '../../src/web/map-page.ts';
import { serveMap, type MapSource } from '../../src/web/serve-map.ts';
import { launchChromium } from '../support/chromium.ts';
import { largeCluster, smallCluster } from './clusters.ts';
import { portOf } from '../../dev/ports.ts';

const screenshots = fileURLToPath(new URL('../../test-results/map/', import.meta.url));
const axeScript = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

let browser: Browser;
const servers: Server[] = [];
let address: string;
let page: Page;
let errors: string[];

const row: DetailRow = {
  direction: 'out',
  peer: 'dbaas/postgresql',
  peerNamespace: 'dbaas',
  identity: '',
  port: 'tcp 5432',
  action: 'allow',
  reporter: 'src',
  firstSeen: '2026-11-20T08:00:00.000Z',
  lastSeen: '2026-11-27T08:00:00.000Z',
  days: 8,
  flows: 1234,
  policies: ['NetworkPolicy immich/egress, tier default, rule 0'],
  staged: 'deny',
};

function changed(src: string, dst: string, action = 'allow'): MapEdge {
  return { src, dst, action, firstSeen: row.firstSeen, lastSeen: row.lastSeen, flows: '7' };
}

const source: Omit<MapSource, 'readMap'> = {
  readNamespace: (name) =>
    Promise.resolve({
      name,
      periodDays: 30,
      isCut: false,
      rows: [
        row,
        { ...row, reporter: 'dst' },
        {
          ...row,
          direction: 'in',
          peer: 'traefik',
          peerNamespace: 'traefik',
          port: 'tcp 2283',
          staged: null,
        },
        {
          ...row,
          peer: 'pub (public addresses)',
          peerNamespace: '',
          port: 'tcp 443',
          action: 'deny',
          staged: null,
        },
      ],
    }),
  readAllowlist: () => Promise.resolve('kind: StagedNetworkPolicy\n'),
  readRuns: () =>
    Promise.resolve([
      {
        job: 'digest',
        workflowId: 'flow-trail/daily-digest-2026-11-27T08:00:00Z',
        runId: 'r1',
        status: 'failed',
        startedAt: '2026-11-27T08:00:00.000Z',
        closedAt: null,
      },
    ]),
  readChanges: (from, to) =>
    Promise.resolve({
      from: from.toISOString(),
      to: to.toISOString(),
      silentDays: 7,
      notCovered: [{ from: from.toISOString(), to: to.toISOString(), state: 'gap' }],
      appeared: [changed('n8n', 'ntfy'), changed('radarr', 'vault', 'deny')],
      fellSilent: [changed('wiki', 'dbaas')],
      allowedToDenied: [changed('radarr', 'vault', 'deny')],
      deniedToAllowed: [],
      newPorts: [
        {
          src: 'blog',
          dst: 'pub',
          ports: ['tcp 443'],
          action: 'allow',
          firstSeen: '2026-11-26T08:00:00.000Z',
        },
      ],
    }),
  readHealth: () =>
    Promise.resolve({
      status: 'WARN',
      detail: 'digest: the digest is late',
      checks: [
        { name: 'database', status: 'PASS', detail: 'available', cure: '' },
        { name: 'digest', status: 'WARN', detail: 'the digest is late', cure: 'Look at flow-trail runs' },
      ],
    }),
  readIncident: (namespace) =>
    Promise.resolve({
      namespace,
      from: '2026-11-27T03:00:00.000Z',
      to: '2026-11-27T04:00:00.000Z',
      hoursFrom: '2026-11-27T03:00:00.000Z',
      hoursTo: '2026-11-27T04:00:00.000Z',
      silentDays: 7,
      notCovered: [
        {
          from: '2026-11-27T03:10:00.000Z',
          to: '2026-11-27T03:20:00.000Z',
          state: 'gap',
          cause: 'worker down',
        },
      ],
      rows: [
        {
          direction: 'out',
          peer: 'vault',
          peerNamespace: 'vault',
          identity: '',
          port: 'tcp 8200',
          action: 'deny',
          reporter: 'src',
          hours: ['2026-11-27T03:00:00.000Z'],
          firstEver: '2026-11-27T03:00:00.000Z',
          flowsOnTheseDays: 3,
          policies: [],
          unusual: ['first_denial'],
        },
      ],
    }),
};

beforeAll(async () => {
  await mkdir(screenshots, { recursive: true });
  await ensureMapPage();
  browser = await launchChromium();
  address = await serve(smallCluster());
});
afterAll(async () => {
  await browser.close();
  for (const server of servers) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

/** Serves the map with this data. @returns the page's address */
async function serve(data: MapData): Promise<string> {
  const server = await serveMap({
    page: await loadMapPage(),
    source: { ...source, readMap: () => Promise.resolve(data) },
    host: '127.0.0.1',
    port: 0,
    hostNames: [],
    onError: (error) => errors.push(String(error)),
  });
  servers.push(server);
  return `http://127.0.0.1:${portOf(server)}/`;
}

async function open(hash: string, { width = 1400, height = 900, url = address } = {}): Promise<void> {
  errors = [];
  page = await browser.newPage({ viewport: { width, height } });
  page.on('pageerror', (error) => errors.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') errors.push(message.text());
  });
  await page.goto(url + hash);
  await page.getByRole('heading', { level: 1 }).waitFor();
}
afterEach(async () => {
  await page.close();
  // Errors in the console, including blocks by the content security policy, fail the test.
  expect(errors).toEqual([]);
});

async function drawn(): Promise<void> {
  await page.locator('.canvas canvas').first().waitFor();
  await page.locator('.placing').waitFor({ state: 'detached' });
}

async function shoot(name: string): Promise<void> {
  await page.screenshot({ path: `${screenshots}${name}.png` });
}

async function violations(): Promise<string[]> {
  await page.addScriptTag({ path: axeScript }).catch(() => undefined);
  // Not the matrix: the list of namespaces beside it has a larger button for each of its names.
  const found: unknown = await page.evaluate(
    `(async () => {
      axe.configure({ rules: [{ id: 'target-size', enabled: true, selector: '*:not(.matrix *)' }] });
      const { violations } = await axe.run(document, { resultTypes: ['violations'] });
      return violations.map(
        ({ id, nodes }) => id + ': ' + nodes.map(({ target }) => target.join(' ')).slice(0, 3).join(', '));
    })()`,
  );
  return Array.isArray(found) ? found.map(String) : ['axe gave no answer'];
}

describe('every view opens and shows its content', () => {
  test.each([
    ['overview', '#/overview', 'Map of 14 namespaces'],
    ['matrix', '#/matrix', 'Rows are sources'],
    ['edges', '#/edges', 'First seen'],
    ['changes', '#/changes', 'Appeared'],
    ['incident', '#/incident/immich', 'never denied before'],
    ['coverage', '#/coverage', 'worker was down'],
    ['readiness', '#/readiness', 'ready for a staged default-deny policy'],
    ['changes-map', '#/changes?show=map', 'allowed before, denied now (1)'],
    ['health', '#/health', 'Look at flow-trail runs'],
    ['externals', '#/overview?externals=show', 'Map of 16 namespaces'],
    ['runs', '#/runs', 'flow-trail/daily-digest-2026-11-27T08:00:00Z'],
  ])('%s', async (name, hash, text) => {
    await open(hash);
    if (text.startsWith('Map of')) {
      await drawn();
      await page.getByRole('img', { name: text }).waitFor();
    } else await page.locator('main').getByText(text).first().waitFor();
    await shoot(name);
  });
});

test('the views have no accessibility violations, light and dark', async () => {
  const found: Record<string, string[]> = {};
  for (const dark of [false, true])
    for (const hash of [
      '#/overview/immich',
      '#/matrix',
      '#/edges',
      '#/changes',
      '#/changes?show=map',
      '#/health',
      '#/overview?externals=show',
      '#/incident/immich',
      '#/readiness',
    ]) {
      const context = await browser.newContext({ bypassCSP: true, colorScheme: dark ? 'dark' : 'light' });
      errors = [];
      page = await context.newPage();
      await page.goto(address + hash);
      await page.getByRole('heading', { level: 1 }).waitFor();
      await page.locator('main').locator('table, .canvas, section').first().waitFor();
      const list = await violations();
      if (list.length > 0) found[`${hash} ${dark ? 'dark' : 'light'}`] = list;
      await context.close();
    }
  expect(found).toEqual({});
}, 120_000);

test('a namespace shows callers and callees with evidence, and its policy', async () => {
  await open('#/overview/immich');
  await drawn();
  const panel = page.getByRole('region', { name: 'Namespace immich' });
  await panel.getByText('Called by').waitFor();
  // Reports of both ends are shown as one line.
  expect(await panel.getByText('tcp 5432').count()).toBe(1);
  await panel.getByText('tcp 5432').click();
  await panel
    .locator('details[open]')
    .getByText('NetworkPolicy immich/egress, tier default, rule 0')
    .waitFor();
  await panel.getByText('staged: deny').waitFor();
  await panel.getByRole('button', { name: 'Derive a staged egress policy' }).click();
  await panel.getByText('kind: StagedNetworkPolicy').waitFor();
  await shoot('namespace');
});

test('filters narrow the view and are in the address', async () => {
  await open('#/edges');
  await page.getByLabel('Action').selectOption('deny');
  await page.getByText('1 edge of').waitFor();
  expect(page.url()).toContain('action=deny');
  await page.reload();
  await page.getByText('1 edge of').waitFor();
  await page.getByRole('button', { name: 'Clear filters' }).click();
  await page.getByLabel('Search').fill('vault');
  await page.locator('main tbody tr').first().waitFor();
  for (const text of await page.locator('main tbody tr').allTextContents()) expect(text).toContain('vault');
});

test('filters by identity and by external ends are in the address', async () => {
  await open('#/edges');
  await page.getByLabel('Outside').selectOption('only');
  await page.getByText('3 edges of 3').waitFor();
  await page.getByLabel('Identity').selectOption('immich-server');
  await page.getByText('1 edge of 3').waitFor();
  await page.getByLabel('Outside').selectOption('show');
  await page.getByText('2 edges of').waitFor();
  expect(page.url()).toMatch(/identity=immich-server.*externals=show/);
  await page.reload();
  await page.getByText('2 edges of').waitFor();
});

test('the comparison of two times is shown on one map and is in the address', async () => {
  await open('#/changes?from=2026-11-20T00:00:00.000Z&to=2026-11-27T00:00:00.000Z');
  await page.getByRole('heading', { name: 'Allowed before, denied now' }).waitFor();
  await page.getByRole('listitem').filter({ hasText: 'blog → pub' }).getByText('tcp 443').waitFor();
  await page.getByRole('link', { name: 'Show on the map' }).click();
  await drawn();
  for (const text of ['appeared (2)', 'fell silent (1)', 'denied before, allowed now (0)'])
    await page.getByText(text).waitFor();
  expect(page.url()).toMatch(/from=2026-11-20.*show=map/);
  await page.reload();
  await drawn();
});

test('every view shows the verdict of flow-trail health, with a link to the checks', async () => {
  await open('#/edges');
  await page.getByRole('link', { name: 'WARN' }).click();
  await page.getByRole('cell', { name: 'the digest is late' }).waitFor();
});

test('every control is reachable by keyboard', async () => {
  await open('#/overview');
  await drawn();
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  expect(await page.evaluate('document.activeElement.id')).toBe('main');
  await page.locator('.names button', { hasText: 'immich' }).focus();
  await page.keyboard.press('Enter');
  await page.getByRole('region', { name: 'Namespace immich' }).waitFor();
});

test('no view is wider than a phone’s screen', async () => {
  for (const hash of [
    '#/overview/immich',
    '#/edges',
    '#/incident/immich',
    '#/readiness',
    '#/health',
    '#/changes?show=map',
  ]) {
    await page?.close();
    await open(hash, { width: 390, height: 844 });
    await page.locator('main').locator('table, .canvas, section').first().waitFor();
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(390);
    // A list of names that the view does not use would push its content off the screen.
    const usesNames = ['#/overview/immich', '#/edges', '#/changes?show=map'].includes(hash);
    expect(await page.locator('.names').isVisible()).toBe(usesNames);
    await shoot(`phone-${hash.split('/')[1]}`);
  }
});

test('a narrow screen folds the filters, and shows how many are in use', async () => {
  await open('#/edges?action=deny', { width: 360, height: 740 });
  const action = page.getByLabel('Action');
  expect(await action.isVisible()).toBe(false);
  const fold = page.getByRole('button', { name: /^Filters/ });
  expect(await fold.innerText()).toContain('1');
  await fold.press('Enter');
  expect(await action.isVisible()).toBe(true);
  expect(await fold.getAttribute('aria-expanded')).toBe('true');
  await page.setViewportSize({ width: 1400, height: 900 });
  expect([await fold.isVisible(), await action.isVisible()]).toEqual([false, true]);
});

test('Escape closes the panel of a namespace, and the title names the view', async () => {
  await open('#/edges/immich');
  const panel = page.getByRole('region', { name: 'Namespace immich' });
  await panel.waitFor();
  expect(await page.title()).toContain('immich · Edges');
  await page.getByLabel('Search').press('Escape');
  expect(await panel.isVisible()).toBe(true);
  await page.locator('main').press('Escape');
  await panel.waitFor({ state: 'detached' });
});

test('the incident of a namespace that was never seen says so', async () => {
  await open('#/incident/nosuch');
  await page.locator('main').getByText('never been seen').waitFor();
  expect(await page.locator('main select').inputValue()).toBe('nosuch');
});

test('hostile names are shown as text', async () => {
  const name = '<img src=x onerror=globalThis.pwned=1>';
  const [namespace] = smallCluster().namespaces;
  const [edge] = smallCluster().edges;
  if (!namespace || !edge) throw new Error('the small cluster is empty');
  const url = await serve({
    ...smallCluster(),
    cluster: name,
    namespaces: [{ ...namespace, name }],
    edges: [{ ...edge, src: name, dst: '"><script>globalThis.pwned=1</script>' }],
  });
  for (const hash of ['#/matrix', '#/edges', '#/readiness', '#/overview']) {
    await page?.close();
    await open(hash, { url });
    await page.getByText(name).first().waitFor();
    expect(await page.evaluate('globalThis.pwned')).toBeUndefined();
  }
});

/** The limit of elements in any view, regardless of the size of the cluster (docs/decisions/0007-map.md). */
const maxElements = 25_000;

test('names that reorder or hide text are escaped, and long names do not widen a view', async () => {
  const [edge] = smallCluster().edges;
  if (!edge) throw new Error('the small cluster is empty');
  const url = await serve({
    ...smallCluster(),
    edges: [{ ...edge, src: 'shop\u202Egnp', dst: 'a'.repeat(253) }],
  });
  for (const hash of ['#/matrix', '#/edges']) {
    await page?.close();
    await open(hash, { url, width: 1000 });
    await page.locator('main').getByText('shop\\u{202e}gnp').first().waitFor();
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(1000);
  }
});

test('with 1,000 namespaces and 20,000 edges every view stays within the limit of elements', async () => {
  const url = await serve(largeCluster());
  const counts: Record<string, number> = {};
  for (const view of ['overview', 'matrix', 'edges', 'changes', 'readiness', 'coverage']) {
    await page?.close();
    await open(`#/${view}`, { url });
    await page.locator('main').locator('table, section, .notice').first().waitFor();
    counts[view] = Number(await page.evaluate("document.querySelectorAll('*').length"));
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(1400);
  }
  expect(Object.entries(counts).filter(([, count]) => count > maxElements)).toEqual([]);
}, 120_000);

test('with 1,000 namespaces and 20,000 edges the map is usable and states why it shows no drawing', async () => {
  const url = await serve(largeCluster());
  await open('#/overview', { url });
  await page.getByText('are too many for one picture').waitFor();
  await page.locator('.names button', { hasText: 'ns-0500' }).click();
  await page.getByRole('region', { name: 'Namespace ns-0500' }).waitFor();
  await page.getByRole('link', { name: 'Matrix' }).click();
  await page.getByText('most connected of 1,000 namespaces').waitFor();
  await shoot('large-matrix');
}, 120_000);

test('an exported file shows the same map without a server', async () => {
  const file = `${screenshots}map.html`;
  const allData: MapData = {
    ...smallCluster(),
    isFile: true,
    details: { immich: await source.readNamespace('immich') },
  };
  await writeFile(file, selfContainedPage(await loadMapPage(), allData));
  await open('#/overview/immich', { url: `file://${file}` });
  await drawn();
  await page.getByRole('region', { name: 'Namespace immich' }).getByText('dbaas/postgresql').waitFor();
});
