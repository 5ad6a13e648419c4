import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** Arguments for `process.execPath` to run a TypeScript file of this project with tsx. */
export function typeScriptArguments(script: URL, args: readonly string[] = []): string[] {
  const loader = createRequire(import.meta.url).resolve('tsx');
  return ['--enable-source-maps', '--import', pathToFileURL(loader).href, fileURLToPath(script), ...args];
}
