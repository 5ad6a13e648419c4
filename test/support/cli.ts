import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { open } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

export interface CliResult {
  code: number;
  out: string;
  err: string;
}

// Prevents it from connecting to a running `npm start` of this checkout.
const isolated = { PATH: process.env['PATH'], FLOW_TRAIL_STATE_DIR: '/nonexistent' };

/** Starts the built `flow-trail` with exactly this environment. */
export function spawnFlowTrail(args: readonly string[], env: NodeJS.ProcessEnv) {
  return spawn(process.execPath, [main, ...args], {
    env: { ...isolated, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** Runs the built `flow-trail` with its standard output in this file. */
export async function flowTrailInto(
  file: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<Omit<CliResult, 'out'>> {
  const handle = await open(file, 'w');
  try {
    const child = spawn(process.execPath, [main, ...args], {
      env: { ...isolated, ...env },
      stdio: ['ignore', handle.fd, 'pipe'],
    });
    let err = '';
    child.stderr?.setEncoding('utf8').on('data', (chunk: string) => (err += chunk));
    const [code]: unknown[] = await once(child, 'close');
    return { code: Number(code), err };
  } finally {
    await handle.close();
  }
}

/** Runs the built `flow-trail` with exactly this environment. */
export function flowTrail(args: readonly string[], env: NodeJS.ProcessEnv): Promise<CliResult> {
  return new Promise((resolve) => {
    const options = { env: { ...isolated, ...env }, timeout: 60_000 };
    execFile(process.execPath, [main, ...args], options, (error, out, err) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
      resolve({ code, out, err });
    });
  });
}
