import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { loadIdentityConfig } from '../config/config.ts';
import { compilePolicies, PolicyError, type PolicySet } from '../policy/replay/policy-set.ts';
import { counted } from '../text/counted.ts';
import { usageFailure } from './usage-error.ts';

/**
 * Reads and compiles a policy file, or every .yaml, .yml and .json below a folder, through symbolic links too. What was
 * skipped and assumed is told on standard error. @throws UsageFailure
 */
export async function readPolicies(path: string, namespace: string | undefined): Promise<PolicySet> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) throw usageFailure(path, 'does not exist; give a policy file or a folder');
  const paths = found.isDirectory() ? (await filesBelow(path, new Set())).toSorted() : [path];
  const files = await Promise.all(
    paths.map(async (file) => ({
      path: found.isDirectory() ? relative(path, file) : file,
      text: await readFile(file, 'utf8'),
    })),
  );
  try {
    const set = compilePolicies(files, loadIdentityConfig(process.env), { namespace });
    tell(set);
    return set;
  } catch (error) {
    if (error instanceof PolicyError) throw usageFailure(path, `cannot be used: ${error.message}`);
    throw error;
  }
}

function tell({ skipped, notes }: PolicySet): void {
  const lines = [...notes];
  if (skipped.size > 0)
    lines.push(
      `skipped, because they are not policies: ${[...skipped].map(([kind, count]) => counted(count, kind)).join(', ')}`,
    );
  for (const line of lines) process.stderr.write(`flow-trail: ${line}\n`);
}

/** @param seen real paths of the folders on the way, so that a link to a folder above ends */
async function filesBelow(folder: string, seen: ReadonlySet<string>): Promise<string[]> {
  const real = await realpath(folder);
  if (seen.has(real)) return [];
  const below = new Set([...seen, real]);
  const entries = await readdir(folder);
  const found = await Promise.all(
    entries.map(async (name) => {
      const path = join(folder, name);
      const target = await stat(path).catch(() => undefined);
      if (target?.isDirectory()) return filesBelow(path, below);
      return target?.isFile() && /\.(ya?ml|json)$/.test(name) ? [path] : [];
    }),
  );
  return found.flat();
}
