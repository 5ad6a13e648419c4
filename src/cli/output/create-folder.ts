import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errorCode } from '../../failure/thrown.ts';

/**
 * Creates a folder and its parents; does nothing if it exists. `mkdir` with `recursive` never returns in a folder such as
 * /proc, whose file system reports ENOENT for every new name (seen in Node 20).
 * @throws the error of mkdir
 */
export async function createFolder(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    const parent = dirname(path);
    if (errorCode(error) === 'ENOENT' && parent !== path) {
      await createFolder(parent);
      await mkdir(path);
    } else if (!(await stat(path).catch(() => undefined))?.isDirectory()) throw error;
  }
}
