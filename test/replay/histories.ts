import { existsSync, readdirSync, readFileSync } from 'node:fs';
import packageJson from '../../package.json' with { type: 'json' };

const histories = new URL('histories/', import.meta.url);

/** The workflows that left the histories. */
export type HistoryKind = 'supervisor' | 'jobs' | 'export';

export interface SavedHistory {
  /** The release that recorded it. */
  version: string;
  name: string;
  json: unknown;
}

/** The folder where record.ts, record-jobs.ts or record-export.ts saves the histories of a version. */
export function folderOf(kind: HistoryKind, version = packageJson.version): URL {
  return new URL(kind === 'supervisor' ? `${version}/` : `${version}/${kind}/`, histories);
}

/** The histories of all releases, which this version must be able to continue. */
export function readHistories(kind: HistoryKind): SavedHistory[] {
  return readdirSync(histories)
    .toSorted()
    .flatMap((version) => {
      const folder = folderOf(kind, version);
      if (!existsSync(folder)) return [];
      return readdirSync(folder)
        .filter((file) => file.endsWith('.json'))
        .toSorted()
        .map((file) => {
          const json: unknown = JSON.parse(readFileSync(new URL(file, folder), 'utf8'));
          return { version, name: file.slice(0, -'.json'.length), json };
        });
    });
}

/** The names of this version's histories. */
export function namesOfThisVersion(saved: readonly SavedHistory[]): string[] {
  return saved
    .filter(({ version }) => version === packageJson.version)
    .map(({ name }) => name)
    .toSorted();
}

/** A JSON reviver that empties stack traces: they contain folders of the recording machine, and are not replayed. */
export function withoutStacks(key: string, value: unknown): unknown {
  return key === 'stackTrace' ? '' : value;
}
