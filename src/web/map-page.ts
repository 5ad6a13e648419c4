import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { Failure } from '../failure/failure.ts';
import type { MapData } from '../queries/map-data.ts';
import { contentPolicy } from './content-policy.ts';

const dataStart = '<script id="map-data" type="application/json">';
const dataEnd = '</script>';

/** The built page: one file including its script and style. */
export interface MapPage {
  html: string;
  /** Content-Security-Policy that allows only this script and style. */
  policy: string;
}

/** Path of the built page, `dist/map.html`; the same from the sources and from `dist`. */
export const builtPage = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? '../../dist/map.html' : '../map.html', import.meta.url),
);

/** @throws Failure of kind `page_missing` */
export async function loadMapPage(): Promise<MapPage> {
  const html = await readFile(builtPage, 'utf8').catch((cause: unknown) => {
    throw new Failure({
      system: 'stack',
      kind: 'page_missing',
      what: `the map page ${builtPage} cannot be read`,
      cure: 'build it with npm run build',
      retryable: false,
      cause,
    });
  });
  return { html, policy: contentPolicy(html) };
}

/** The page with embedded data: one file that shows the map without a server. */
export function selfContainedPage({ html, policy }: MapPage, data: MapData): string {
  // The policy is in the document itself, because there is no server to send it. `<` is escaped so that no name can end
  // the element.
  const meta = `<meta http-equiv="Content-Security-Policy" content="${policy.replace(/; frame-ancestors 'none'/, '')}">`;
  const json = JSON.stringify(data)
    .replaceAll('<', '\\u003c')
    .replaceAll('\u2028', '\\u2028')
    .replaceAll('\u2029', '\\u2029');
  const at = html.indexOf(dataStart) + dataStart.length;
  if (at < dataStart.length) throw new Error('the built map page has no place for data');
  const withData = html.slice(0, at) + json + html.slice(html.indexOf(dataEnd, at));
  return withData.replace('<head>', () => `<head>${meta}`);
}
