import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
let installed: Promise<void> | undefined;

/** Finds Debian's promtool; installs it if it is missing and this user may install packages. */
async function ensurePromtool(): Promise<void> {
  if (await works()) return;
  if (process.getuid?.() === 0) {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    await run('apt-get', ['update', '-q']);
    await run('apt-get', ['install', '-y', '-q', '--no-install-recommends', 'prometheus'], {
      env,
      maxBuffer: 64 * 1024 * 1024,
    });
    if (await works()) return;
  }
  throw new Error('promtool is missing; install it (apt-get install prometheus)');
}

function works(): Promise<boolean> {
  return run('promtool', ['--version']).then(
    () => true,
    () => false,
  );
}

/** Runs promtool on a file with this content (JSON is valid YAML). @returns its output and whether it succeeded */
export async function promtool(
  args: readonly string[],
  content: object | string,
): Promise<{ isGood: boolean; text: string }> {
  await (installed ??= ensurePromtool());
  const folder = await mkdtemp(join(tmpdir(), 'flow-trail-promtool-'));
  try {
    const file = join(folder, 'file.yaml');
    await writeFile(file, typeof content === 'string' ? content : JSON.stringify(content));
    try {
      const { stdout, stderr } = await run('promtool', [...args, file]);
      return { isGood: true, text: stdout + stderr };
    } catch (error) {
      const output: { stdout?: unknown; stderr?: unknown } =
        typeof error === 'object' && error !== null ? { ...error } : {};
      return { isGood: false, text: `${String(output.stdout)}${String(output.stderr)}` };
    }
  } finally {
    await rm(folder, { recursive: true });
  }
}
