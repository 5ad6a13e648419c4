import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseEnv } from 'node:util';
import { errorCode } from '../../failure/thrown.ts';

/** Settings that select the database, Goldmane or Temporal; if any of them is set, the local stack is not used. */
const CHOOSES_SERVER = /^(DATABASE_URL|GOLDMANE_HOST|TEMPORAL_(?!TASK_QUEUE|CODEC_KEY_FILE))/;

/** Copies the settings of a running `npm start` of this checkout into `env`, unless `env` selects another server,
 * and reports it. `npm start` stores them in the file `env` of its state directory (`FLOW_TRAIL_STATE_DIR`, default
 * `.flow-trail`), and its process id in `lock`.
 */
export function useLocalStack(env: NodeJS.ProcessEnv, say: (line: string) => void): void {
  const directory =
    env.FLOW_TRAIL_STATE_DIR ?? fileURLToPath(new URL('../../../.flow-trail', import.meta.url));
  const file = readIfThere(join(directory, 'env'));
  if (file === undefined) return;
  const settings = parseEnv(file);
  // `npm start` may use a Temporal server set in the environment, whose credentials are not in the file.
  const isSameTemporal =
    env.TEMPORAL_ADDRESS !== undefined && env.TEMPORAL_ADDRESS === settings['TEMPORAL_ADDRESS'];
  const chosen = chosenServers(env);
  if (chosen.some((name) => !(isSameTemporal && name.startsWith('TEMPORAL_')))) return;
  const fromHere = relative(process.cwd(), directory);
  const shown = fromHere.startsWith('..') ? directory : fromHere || '.';
  if (!isAlive(Number.parseInt(readIfThere(join(directory, 'lock')) ?? '', 10))) {
    if (chosen.length === 0)
      say(
        `no server is configured and the local stack in ${shown} is not running; start it with "npm start"`,
      );
    return;
  }
  say(`using the local stack of npm start (${join(shown, 'env')})`);
  for (const [name, value] of Object.entries(settings)) env[name] ||= value;
}

/** Whether a setting selects the database, Goldmane or Temporal. */
export function choosesServer(env: NodeJS.ProcessEnv): boolean {
  return chosenServers(env).length > 0;
}

function chosenServers(env: NodeJS.ProcessEnv): string[] {
  return Object.keys(env).filter((name) => env[name] && CHOOSES_SERVER.test(name));
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function isAlive(pid: number): boolean {
  if (!(pid > 1)) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: the process runs as another user.
    return errorCode(error) === 'EPERM';
  }
}
