import { constants } from 'node:fs';
import { open, realpath } from 'node:fs/promises';
import { dirname, isAbsolute, join, relative, sep } from 'node:path';
import { errorCode } from '../../failure/thrown.ts';
import { Failure } from '../../failure/failure.ts';
import { createFolder } from './create-folder.ts';
import { usageFailure } from '../input/usage-error.ts';

/**
 * Writes files below a folder, which it creates. A path that leads out of the folder (by `..`, an absolute path or a
 * symbolic link) is rejected, and then nothing is written.
 * @throws UsageFailure, Failure<'command'> of kind `outside_folder`
 */
export async function writeFilesInto(
  folder: string,
  files: readonly { path: string; content: string }[],
): Promise<void> {
  await createFolder(folder).catch((error: unknown) => {
    throw usageFailure(
      '--out',
      `${folder} cannot be created (${errorCode(error, 'unknown error')}); use another folder`,
    );
  });
  const root = await realpath(folder);
  for (const { path } of files) if (isOutside(path)) throw outside(path);
  for (const { path, content } of files) {
    const parent = join(root, dirname(path));
    await createFolder(parent).catch((error: unknown) => {
      throw unwritable(join(folder, path), error);
    });
    const realParent = await realpath(parent);
    if (realParent !== root && !realParent.startsWith(root + sep)) throw outside(path);
    const { O_WRONLY, O_CREAT, O_TRUNC, O_NOFOLLOW } = constants;
    const handle = await open(join(root, path), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW).catch(
      (error: unknown) => {
        if (errorCode(error, 'unknown error') === 'ELOOP') throw outside(path);
        throw unwritable(join(folder, path), error);
      },
    );
    try {
      await handle.writeFile(content).catch((error: unknown) => {
        throw unwritable(join(folder, path), error);
      });
    } finally {
      await handle.close();
    }
  }
}

function unwritable(path: string, error: unknown): Failure<'command'> {
  return usageFailure(
    '--out',
    `${path} cannot be written (${errorCode(error, 'unknown error')}); use another folder`,
  );
}

function isOutside(path: string): boolean {
  const inFolder = relative('.', path);
  return path === '' || isAbsolute(path) || inFolder === '' || inFolder.split(sep).includes('..');
}

function outside(path: string): Failure<'command'> {
  return new Failure({
    system: 'command',
    kind: 'outside_folder',
    what: `the file "${path}" would be written outside the folder of --out`,
    cure: 'no file was written; check where this name comes from',
    retryable: false,
  });
}
