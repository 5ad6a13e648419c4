import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

/** Replaces one text of a file by another. The text must be there, or the copy would not be broken. */
export interface Change {
  file: string;
  from: string;
  to: string;
}

/**
 * Runs `use` with the path of a changed copy of a folder, or of what `parts` names of it, and removes the copy.
 */
export async function withChangedCopy<Result>(
  original: string,
  { file, from, to }: Change,
  use: (copy: string) => Promise<Result>,
  parts: readonly string[] = ['.'],
): Promise<Result> {
  const folder = await mkdtemp(join(tmpdir(), 'flow-trail-deploy-'));
  try {
    const copy = join(folder, basename(original));
    for (const part of parts) await cp(join(original, part), join(copy, part), { recursive: true });
    const changed = join(copy, file);
    const text = await readFile(changed, 'utf8');
    if (!text.includes(from)) throw new Error(`${changed} has no "${from}" to break`);
    await writeFile(changed, text.replace(from, to));
    return await use(copy);
  } finally {
    await rm(folder, { recursive: true });
  }
}
