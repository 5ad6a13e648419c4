import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { transform } from '@swc/wasm-typescript';

const sources = fileURLToPath(new URL('../src', import.meta.url));
const compiled = fileURLToPath(new URL('../dist', import.meta.url));
/** Vite builds the page (`build-map-page.ts`). */
const page = join(sources, 'web', 'page', sep);

/**
 * Compiles `src` to `dist` by replacing types with spaces. Line numbers in stack traces are those of the source, so the
 * worker needs no source maps, which would take 6 MiB of its memory. `npm run lint` checks the types.
 */
async function buildSources(): Promise<void> {
  await rm(compiled, { recursive: true, force: true });
  const entries = await readdir(sources, { recursive: true, withFileTypes: true });
  for (const { name, parentPath } of entries) {
    const path = join(parentPath, name);
    if (!name.endsWith('.ts') || path.startsWith(page)) continue;
    const target = join(compiled, relative(sources, path)).replace(/\.ts$/, '.js');
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, await withoutTypes(await readFile(path, 'utf8'), path));
  }
}

/** @throws an Error with the position of syntax that is not erasable */
async function withoutTypes(source: string, filename: string): Promise<string> {
  const { code } = await transform(source, { mode: 'strip-only', module: true, filename });
  return code.replaceAll(/(\bfrom |\bimport[ (])'(\.[^']+)\.ts'/g, "$1'$2.js'");
}

await buildSources();
