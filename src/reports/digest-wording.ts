import { counted, formatCount } from '../text/counted.ts';
import type { DigestReport, Introduction } from './digest.ts';

/** `12 new edges, 2 of them denied`; used by every form of a digest. */
export function headlineOf({ edges, denied }: Pick<DigestReport, 'edges' | 'denied'>): string {
  if (edges === 0) return 'No new edge';
  const all = counted(edges, 'new edge');
  if (denied === 0) return all;
  if (denied === edges) return edges === 1 ? `${all}, denied` : `${all}, all of them denied`;
  return `${all}, ${formatCount(denied)} of them denied`;
}

/** The sentences about the trail as a whole, for the first digest. */
export function introductionOf({ since, namespaces, edges, denied }: Introduction): string {
  return `The trail begins at ${since}. It has ${counted(edges, 'edge')} (${
    denied === 0 ? 'none' : formatCount(denied)
  } denied) between ${counted(namespaces, 'namespace')}. An edge is a source namespace, a destination namespace, and whether policies allow or deny the traffic.`;
}

/** The command that lists every edge of the digest. */
export function questionFor({ digestId }: Pick<DigestReport, 'digestId'>): string {
  return `flow-trail digest show ${digestId}`;
}
