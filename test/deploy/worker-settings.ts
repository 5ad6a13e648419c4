import { loadConfig, type Config } from '../../src/config/config.ts';

/** Reads settings as the worker does. @returns the configuration and the names of all variables that were read */
export function readSettings(environment: Record<string, string>): { config: Config; known: Set<string> } {
  const known = new Set<string>();
  const recording = new Proxy<NodeJS.ProcessEnv>(
    { ...environment },
    {
      get(target, name) {
        if (typeof name !== 'string') return undefined;
        known.add(name);
        return target[name];
      },
    },
  );
  return { config: loadConfig(recording), known };
}

/** Names of variables that the worker does not read, because they are misspelt or were removed. */
export function unknownSettings(environment: Record<string, string>): string[] {
  const { known } = readSettings(environment);
  return Object.keys(environment).filter((name) => !known.has(name) && !temporal.has(name));
}

/** Read by Temporal's library. */
const temporal = new Set(['TEMPORAL_ADDRESS', 'TEMPORAL_NAMESPACE']);
