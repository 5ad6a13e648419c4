import type { ReaderStatus, TrailStatus } from './status.ts';

/** One line for the memo and the first line of the details. */
export function stateText({ paused, lastError }: TrailStatus): string {
  if (paused) return paused.reason === undefined ? 'paused' : `paused: ${paused.reason}`;
  return lastError === undefined ? 'following' : `failing: ${lastError}`;
}

/** The state as Markdown for the workflow's page in the Temporal UI. */
export function currentDetails(status: TrailStatus): string {
  const { stream, settle, gaps } = status;
  const rows = [
    ['State', stream.state, settle.state],
    ['As of', stream.asOf, settle.asOf],
    ['Connected since', stream.connectedSince ?? '-', settle.connectedSince ?? '-'],
    ['Newest bucket', status.newestBucket ?? '-', status.settledUpTo ?? '-'],
    ['Records', String(status.records), `${status.lateRecords} late`],
    ['Last error', errorOf(stream), errorOf(settle)],
  ];
  return [
    `**${inline(stateText(status))}**`,
    '',
    '| | Stream | Settling |',
    '| --- | --- | --- |',
    ...rows.map((cells) => `| ${cells.join(' | ')} |`),
    '',
    `${status.windows} completed windows since ${status.supervisedSince} with ${status.newEdges} new edges${status.edges === undefined ? '' : `; ${status.edges} edges in total`}.`,
    '',
    gaps.length === 0 ? 'No gaps.' : 'Gaps:',
    '',
    ...gaps.map(({ from, to, cause }) => `- ${from} to ${to}: ${inline(cause)}`),
  ].join('\n');
}

function errorOf({ lastError, lastWindow }: ReaderStatus): string {
  return inline(lastError ?? lastWindow?.lastError ?? '-');
}

/** Escapes Markdown, because error texts contain names from the cluster. */
function inline(text: string): string {
  return text.replaceAll(/\s+/g, ' ').replaceAll(/[\\`*_[\]<>|#]/g, (character) => `\\${character}`);
}
