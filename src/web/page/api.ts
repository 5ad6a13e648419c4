import { printableLines } from '../../text/printable.ts';
import type { MapChanges, MapData, MapRun, NamespaceDetail } from '../../queries/map-data.ts';

/** The data embedded in the page, if it is a file; otherwise from the worker. */
export async function readMapData(signal: AbortSignal): Promise<MapData> {
  const inside = document.getElementById('map-data')?.textContent ?? '';
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the command that made this file wrote it
  if (inside.trim() !== '') return parsePrintable(inside) as MapData;
  return readJson<MapData>('api/map', signal);
}

export async function readDetail(data: MapData, name: string, signal: AbortSignal): Promise<NamespaceDetail> {
  if (data.isFile) {
    const detail = data.details?.[name];
    if (!detail) throw new Error('This file does not contain details of this namespace.');
    return detail;
  }
  return readJson<NamespaceDetail>(`api/namespaces/${encodeURIComponent(name)}`, signal);
}

/** @throws Error; a file has only the changes of its last week */
export async function readChanges(
  data: MapData,
  { from, to }: { from: string; to: string },
  signal: AbortSignal,
): Promise<MapChanges> {
  if (!data.isFile) return readJson<MapChanges>(`api/changes?${new URLSearchParams({ from, to })}`, signal);
  if (!data.changes) throw new Error('This file does not contain changes.');
  return data.changes;
}

export function readRuns(signal: AbortSignal): Promise<MapRun[]> {
  return readJson<MapRun[]>('api/runs', signal);
}

export async function readAllowlist(name: string): Promise<string> {
  return printableLines(await (await ask(`api/namespaces/${encodeURIComponent(name)}/allowlist`)).text());
}

/** The worker's responses have the types of map-data.ts. */
export async function readJson<Answer>(path: string, signal?: AbortSignal): Promise<Answer> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- page and worker come from one build
  return parsePrintable(await (await ask(path, signal)).text()) as Answer;
}

/** Names are data: characters that reorder a line or are invisible become escapes, as on the command line. */
function parsePrintable(json: string): unknown {
  return JSON.parse(json, (_key, value: unknown) =>
    typeof value === 'string' ? printableLines(value) : value,
  );
}

async function ask(path: string, signal?: AbortSignal): Promise<Response> {
  const response = await fetch(path, signal ? { signal } : {});
  if (response.ok) return response;
  const text = (await response.text()).trim();
  throw new Error(text === '' ? `The worker returned status ${response.status}.` : text);
}
