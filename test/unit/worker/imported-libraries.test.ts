import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const source = fileURLToPath(new URL('../../../src/', import.meta.url));

/** Matches static imports and exports of values, also over several lines. */
const staticImports = /^(?:import|export)\s+(?!type\b)(?:[^;'"]*?\sfrom\s+)?'([^']+)';$/gm;

/** All packages that a file imports statically, directly or through other files. */
function packagesOf(file: string, seen = new Set<string>()): Set<string> {
  const packages = new Set<string>();
  if (seen.has(file)) return packages;
  seen.add(file);
  for (const [, specifier = ''] of readFileSync(file, 'utf8').matchAll(staticImports)) {
    if (specifier.startsWith('.'))
      for (const name of packagesOf(join(file, '..', specifier), seen)) packages.add(name);
    else if (!specifier.startsWith('node:'))
      packages.add(/^(?:@[^/]+\/)?[^/]+/.exec(specifier)?.[0] ?? specifier);
  }
  return packages;
}

// Each library takes memory in every worker as long as it runs (docs/benchmarks.md).
test('the worker imports only libraries at its start that every worker needs', () => {
  expect([...packagesOf(join(source, 'worker/main.ts'))].toSorted()).toEqual([
    '@grpc/grpc-js',
    '@temporalio/activity',
    '@temporalio/client',
    '@temporalio/common',
    '@temporalio/envconfig',
    '@temporalio/proto',
    '@temporalio/worker',
    '@temporalio/workflow',
    'pg',
    'pino',
    'zod',
  ]);
});
