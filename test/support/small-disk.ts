import { execFile } from 'node:child_process';
import { appendFile, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const execute = promisify(execFile);
const mib = 2 ** 20;
/** The last pieces are as small as PostgreSQL's own: a page is 8 KiB. */
const pieces = [mib, 64 * 1024, 4 * 1024] as const;

/** A file system of its own, in memory, that can be filled. */
export interface SmallDisk {
  path: string;
  /** Writes until nothing more can be written (ENOSPC). */
  fill(): Promise<void>;
  /** Deletes what `fill` wrote. */
  free(): Promise<void>;
  /** Unmounts it, with all that lies in it. */
  remove(): Promise<void>;
}

/** @returns why there is none, as text, where this process may not mount */
export async function mountSmallDisk(path: string, sizeMiB: number): Promise<SmallDisk | string> {
  if (process.platform !== 'linux') return 'a small file system is mounted on Linux only';
  await mkdir(path, { recursive: true });
  try {
    await execute('mount', ['-t', 'tmpfs', '-o', `size=${sizeMiB}m,mode=755`, 'tmpfs', path]);
  } catch {
    return process.getuid?.() === 0
      ? 'this machine does not allow mounting a small file system'
      : 'mounting a small file system needs root';
  }
  const balloon = join(path, 'balloon');
  return {
    path,
    async fill() {
      for (const bytes of pieces) await appendUntilFull(balloon, Buffer.alloc(bytes));
    },
    free: () => rm(balloon, { force: true }),
    async remove() {
      await execute('umount', ['--lazy', path]);
    },
  };
}

async function appendUntilFull(file: string, piece: Buffer): Promise<void> {
  for (;;)
    try {
      await appendFile(file, piece);
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOSPC') return;
      throw error;
    }
}
