import { readdirSync, readFileSync } from 'node:fs';

export const historiesFolder = new URL('histories/', import.meta.url);
export const jobHistoriesFolder = new URL('histories/jobs/', import.meta.url);

export interface SavedHistory {
  name: string;
  json: unknown;
}

/** The histories that record.ts, or record-jobs.ts, saved. */
export function readHistories(folder = historiesFolder): SavedHistory[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.json'))
    .toSorted()
    .map((file) => {
      const json: unknown = JSON.parse(readFileSync(new URL(file, folder), 'utf8'));
      return { name: file.slice(0, -'.json'.length), json };
    });
}
