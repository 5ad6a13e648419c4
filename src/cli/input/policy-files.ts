import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { loadIdentityConfig } from '../../config/identity-config.ts';
import type { ReadOptions } from '../../policy/replay/manifest.ts';
import { compilePolicies, PolicyError, type PolicySet } from '../../policy/replay/policy-set.ts';
import { Failure } from '../../failure/failure.ts';
import { note } from '../output/output.ts';
import { usageFailure } from './usage-error.ts';

/**
 * Reads and compiles a policy file, or every .yaml, .yml and .json file below a folder, following symbolic links.
 * Skipped files and assumptions are reported on standard error.
 * @throws UsageFailure
 */
export async function readPolicies(path: string, options: ReadOptions): Promise<PolicySet> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined)
    throw usageFailure(`path ${path}`, 'does not exist; use a policy file or a folder');
  const paths = found.isDirectory() ? (await filesBelow(path, new Set())).toSorted() : [path];
  const files = await Promise.all(
    paths.map(async (file) => ({
      path: found.isDirectory() ? relative(path, file) : file,
      text: await readFile(file, 'utf8'),
    })),
  );
  const set = compile(path, files, options);
  for (const line of notesOn(set)) note(line);
  return set;
}

/** Compiles manifests given as text; `notes` lists skipped objects and assumptions. @throws UsageFailure */
export function readPolicyText(text: string, options: ReadOptions): { policies: PolicySet; notes: string[] } {
  const policies = compile('policies', [{ path: 'policies', text }], options);
  return { policies, notes: notesOn(policies) };
}

function compile(
  path: string,
  files: readonly { path: string; text: string }[],
  options: ReadOptions,
): PolicySet {
  try {
    return compilePolicies(files, loadIdentityConfig(process.env), options);
  } catch (error) {
    if (error instanceof PolicyError)
      throw new Failure({
        system: 'command',
        kind: 'usage',
        what: `the policies in ${path} cannot be replayed:\n${error.problems.map((problem) => `  ${problem}`).join('\n')}`,
        cure: '',
        retryable: false,
        cause: error,
      });
    throw error;
  }
}

function notesOn({ skipped, notes }: PolicySet): string[] {
  const lines = [...notes];
  if (skipped.size > 0)
    lines.push(
      `skipped objects that are not policies: ${[...skipped].map(([kind, count]) => `${kind} (${count})`).join(', ')}`,
    );
  return lines;
}

/** @param seen real paths of the parent folders, so that a link to one of them is not followed */
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
