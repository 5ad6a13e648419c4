import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { z } from 'zod';
import type { Environment } from './lab.ts';

const run = promisify(execFile);
const source = fileURLToPath(new URL('count-go', import.meta.url));

const counted = z.object({
  records: z.number(),
  edges: z.number(),
  seconds: z.number(),
  cpuMs: z.number(),
  peakMiB: z.number(),
});

export type GoCount = z.infer<typeof counted>;

/**
 * Builds the Go client that reads history and only counts.
 * @param folder for the program
 * @returns a function that reads the history of a server, or the reason why the client cannot be built
 */
export async function buildGoClient(
  folder: string,
): Promise<((env: Environment, fromSeconds: number) => Promise<GoCount>) | string> {
  const program = join(folder, 'count-go-client');
  try {
    await run('go', ['build', '-o', program, '.'], { cwd: source });
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    return isMissing
      ? 'Go is not installed'
      : 'the Go client cannot be built, for example without a module proxy';
  }
  return async (env, fromSeconds) => {
    const { stdout } = await run(program, [], {
      env: { PATH: process.env['PATH'], ...env, FROM_SECONDS: String(fromSeconds) },
    });
    return counted.parse(JSON.parse(stdout));
  };
}
