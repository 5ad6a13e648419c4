import { loadConfig, type Config } from '../../src/config/config.ts';

/** Reads settings as the worker does, and tells which variables it asks for. */
export function readSettings(environment: Record<string, string>): { config: Config; known: Set<string> } {
  const known = new Set<string>();
  const watched = new Proxy<NodeJS.ProcessEnv>(
    { ...environment },
    {
      get(target, name) {
        if (typeof name !== 'string') return undefined;
        known.add(name);
        return target[name];
      },
    },
  );
  return { config: loadConfig(watched), known };
}

/** Variables that the worker would not read: misspelt, or gone. Temporal's own are read by its library. */
export function unknownSettings(environment: Record<string, string>): string[] {
  const { known } = readSettings(environment);
  return Object.keys(environment).filter((name) => !known.has(name) && !temporal.has(name));
}

const temporal = new Set(['TEMPORAL_ADDRESS', 'TEMPORAL_NAMESPACE']);
