import { readdir, readFile, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { compilePolicies, PolicyError } from '../policy/replay/policy-set.ts';
import type { CompiledTier } from '../policy/replay/policy.ts';
import { identityLabel } from './allowlist-options.ts';
import { usageFailure } from './usage-error.ts';

/** Reads and compiles a policy file, or every .yaml, .yml and .json below a folder. @throws UsageFailure */
export async function readPolicies(path: string): Promise<CompiledTier[]> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) throw usageFailure(path, 'is not there; give a policy file or a folder of them');
  const paths = found.isDirectory() ? await filesBelow(path) : [path];
  const files = await Promise.all(
    paths.map(async (file) => ({
      path: found.isDirectory() ? relative(path, file) : file,
      text: await readFile(file, 'utf8'),
    })),
  );
  try {
    return compilePolicies(files, identityLabel());
  } catch (error) {
    if (error instanceof PolicyError) throw usageFailure(path, `cannot be used: ${error.message}`);
    throw error;
  }
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true });
  return entries
    .filter((entry) => entry.isFile() && /\.(ya?ml|json)$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .toSorted();
}
