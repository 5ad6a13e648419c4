import { readdirSync, readFileSync } from 'node:fs';

export const historiesFolder = new URL('histories/', import.meta.url);

export interface SavedHistory {
  name: string;
  json: unknown;
}

/** The histories that record.ts saved. */
export function readHistories(): SavedHistory[] {
  return readdirSync(historiesFolder)
    .filter((file) => file.endsWith('.json'))
    .toSorted()
    .map((file) => {
      const json: unknown = JSON.parse(readFileSync(new URL(file, historiesFolder), 'utf8'));
      return { name: file.slice(0, -'.json'.length), json };
    });
}
