import { execFile } from 'node:child_process';
import { appendFile, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { errorCode } from '../../src/failure/thrown.ts';

const execute = promisify(execFile);
const mib = 2 ** 20;
/** The last pieces are smaller than a page of PostgreSQL (8 KiB). */
const pieces = [mib, 64 * 1024, 4 * 1024] as const;

/** A separate file system in memory that can be filled. */
export interface SmallDisk {
  path: string;
  /** Writes until the file system is full (ENOSPC). */
  fill(): Promise<void>;
  /** Deletes what `fill` wrote. */
  free(): Promise<void>;
  /** Unmounts it and deletes its contents. */
  remove(): Promise<void>;
}

/** @returns the disk, or the reason if this process cannot mount */
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
      if (errorCode(error) === 'ENOSPC') return;
      throw error;
    }
}
