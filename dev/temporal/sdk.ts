import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { spawnOwned } from '../owned-process.ts';
import { typeScriptArguments } from '../typescript-child.ts';
import type { Acquisition } from './find.ts';

const IDLE_LIMIT_MS = 20_000;
const PROGRESS_EVERY_MS = 10_000;

/** Downloads the dev server with the Temporal SDK. Fails when no data arrives for 20 seconds. */
export async function downloadWithSdk({ version, directory, log, signal, env }: Acquisition): Promise<void> {
  log(
    `Temporal: downloading the CLI ${version} from temporal.download (about 60 MB, usually under a minute)`,
  );
  const download = await spawnOwned({
    command: process.execPath,
    args: typeScriptArguments(new URL('sdk-download.ts', import.meta.url), [directory, version]),
    env,
  });
  try {
    let bytes = 0;
    let lastArrivalMs = Date.now();
    let lastProgressMs = Date.now();
    while (!download.hasExited()) {
      await Promise.race([delay(250, undefined, { signal }), download.exited]);
      const size = await sizeOf(directory);
      if (size !== bytes) lastArrivalMs = Date.now();
      bytes = size;
      if (Date.now() - lastArrivalMs > IDLE_LIMIT_MS) {
        throw new Error(`the download made no progress for ${IDLE_LIMIT_MS / 1000} s`);
      }
      if (Date.now() - lastProgressMs > PROGRESS_EVERY_MS) {
        lastProgressMs = Date.now();
        log(`Temporal: ${Math.round(bytes / 1e6)} MB downloaded`);
      }
    }
    const { code } = await download.exited;
    if (code !== 0) throw new Error(`the download failed (${shortReason(download.lastLines())})`);
  } finally {
    await download.stop(2_000);
  }
}

async function sizeOf(directory: string): Promise<number> {
  const names = await readdir(directory);
  const sizes = await Promise.all(
    names.map((name) =>
      stat(join(directory, name)).then(
        ({ size }) => size,
        () => 0,
      ),
    ),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** The innermost reason of a Rust error chain; the outer ones repeat the address. */
function shortReason(lines: readonly string[]): string {
  const line = lines.findLast((text) => text.includes(':')) ?? 'without output';
  return line.split(': ').slice(-2).join(': ').trim();
}
