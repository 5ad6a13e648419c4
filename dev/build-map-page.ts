import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { builtPage } from '../src/web/map-page.ts';

/** Unless an element with this id exists, Cytoscape adds an inline style, which the policy forbids. */
const cytoscapeStyle = '__________cytoscape_stylesheet';

const root = fileURLToPath(new URL('../src/web/page', import.meta.url));

/**
 * Bundles the page into one HTML file, including script, style and the layout worker. The worker serves this file, and
 * it also works on its own; it fetches nothing from other hosts.
 */
async function buildMapPage(): Promise<void> {
  const result = await build({
    root,
    configFile: false,
    logLevel: 'warn',
    build: {
      write: false,
      modulePreload: false,
      cssCodeSplit: false,
      target: 'es2022',
      rolldownOptions: { checks: { bundlerTimings: false } },
    },
    plugins: [layoutWorkerText()],
  });
  const { output } = Array.isArray(result) ? onlyOne(result) : 'output' in result ? result : onlyOne([]);
  let script = '';
  let style = '';
  for (const file of output) {
    if (file.type === 'chunk') script += file.code;
    else if (file.fileName.endsWith('.css')) style += String(file.source);
  }
  const html = await readFile(`${root}/index.html`, 'utf8');
  const page = html
    .replace(
      '<link rel="stylesheet" href="./style.css" />',
      () => `<style id="${cytoscapeStyle}">${style}</style>`,
    )
    .replace(
      '<script type="module" src="./main.tsx"></script>',
      // `</script` inside a string would end the element.
      () => `<script type="module">${script.replaceAll('</script', '<\\/script')}</script>`,
    );
  await mkdir(dirname(builtPage), { recursive: true });
  await writeFile(builtPage, page);
}

function onlyOne<Item>(items: readonly Item[]): Item {
  const [item] = items;
  if (item === undefined || items.length !== 1)
    throw new Error(`the page was built into ${items.length} outputs`);
  return item;
}

/** `virtual:elk-worker` is the source text of ELK's worker, from which the page creates a Worker with a blob URL. */
function layoutWorkerText() {
  const id = 'virtual:elk-worker';
  return {
    name: 'elk-worker-text',
    resolveId: (source: string) => (source === id ? `\0${id}` : undefined),
    async load(resolved: string) {
      if (resolved !== `\0${id}`) return undefined;
      const file = createRequire(import.meta.url).resolve('elkjs/lib/elk-worker.min.js');
      return `export default ${JSON.stringify(await readFile(file, 'utf8'))};`;
    },
  };
}

/** Builds the page unless the built one is newer than all its sources. */
export async function ensureMapPage(): Promise<void> {
  const builtMs = (await stat(builtPage).catch(() => undefined))?.mtimeMs ?? 0;
  const files = await readdir(root, { recursive: true });
  const times = await Promise.all(files.map(async (file) => (await stat(`${root}/${file}`)).mtimeMs));
  if (times.some((timeMs) => timeMs > builtMs)) await buildMapPage();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildMapPage();
