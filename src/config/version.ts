import { readFileSync } from 'node:fs';

/** The version of this program, from its package.json. Without zod: every command reads it, and loading zod takes 70 ms. */
export function readVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  const contents: unknown = JSON.parse(text);
  if (
    typeof contents === 'object' &&
    contents !== null &&
    'version' in contents &&
    typeof contents.version === 'string'
  )
    return contents.version;
  throw new Error('package.json has no version');
}
