import { execFile } from 'node:child_process';
import { cp, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const root = fileURLToPath(new URL('..', import.meta.url));
const compiled = join(root, 'node_modules', '.cache', 'flow-trail-bench');

/**
 * Compiles the measured code like the build does: a loader that transpiles on the fly wraps functions to keep their
 * names, which makes creating them slower.
 * @returns a function that maps a script of bench/ to its JavaScript file
 */
export async function compileBench(): Promise<(script: string) => string> {
  await mkdir(compiled, { recursive: true });
  // Below node_modules, only this file marks them as modules.
  await writeFile(join(compiled, 'package.json'), '{ "type": "module" }\n');
  await run(join(root, 'node_modules', '.bin', 'tsc'), ['-p', join(root, 'bench', 'tsconfig.json')]);
  for (const file of ['proto/goldmane.proto', 'dev/goldmane/collector.proto', 'dev/goldmane/records.proto'])
    await cp(join(root, file), join(compiled, file));
  return (script) => join(compiled, 'bench', script);
}

/** The worker as it runs in production. */
export async function buildWorker(): Promise<void> {
  await run('npm', ['run', 'build'], { cwd: root });
}
