import type { ReaderStatus, TrailStatus } from './status.ts';

/** One line for the memo and the first line of the details. */
export function stateText({ paused, lastError }: TrailStatus): string {
  if (paused) return paused.reason === undefined ? 'paused' : `paused: ${paused.reason}`;
  return lastError === undefined ? 'following' : `failing: ${lastError}`;
}

/** The UI draws table cells without space between them. */
const gapBetween = '\u{a0}\u{a0}';

/** The state as Markdown for the workflow's page in the Temporal UI, whose table columns are narrow. */
export function currentDetails(status: TrailStatus): string {
  const { stream, settle, gaps } = status;
  const rows = [
    ['State', stream.state, settle.state],
    ['As of', timeText(stream.asOf), timeText(settle.asOf)],
    ['Connected since', timeText(stream.connectedSince), timeText(settle.connectedSince)],
    ['Up to bucket', timeText(status.newestBucket), timeText(status.settledUpTo)],
    ['Records', `${status.records} streamed`, `${status.lateRecords} missed by the stream`],
    ['Last error', errorOf(stream), errorOf(settle)],
  ];
  const edges = status.edges === undefined ? '' : `${status.edges} edges. `;
  return [
    `**${inline(stateText(status))}**`,
    '',
    `| UTC | Stream${gapBetween} | Settling |`,
    '| --- | --- | --- |',
    ...rows.map((cells) => `| ${cells.join(`${gapBetween} | `)} |`),
    '',
    `${edges}${status.windows} windows completed since ${timeText(status.supervisedSince)}, with ${status.newEdges} new edges. The heartbeats of the pending activities have newer values.`,
    '',
    gaps.length === 0 ? 'No gaps.' : 'Gaps:',
    '',
    ...gaps.map(({ from, to, cause }) => `- ${timeText(from)} to ${timeText(to)}: ${inline(cause)}`),
  ].join('\n');
}

/** `2026-01-31 08:15:00`, of an ISO time in UTC. */
function timeText(time: string | undefined): string {
  if (time === undefined) return '-';
  return inline(time.replace(/^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d).*Z$/, '$1 $2'));
}

function errorOf({ lastError, lastWindow }: ReaderStatus): string {
  return inline(lastError ?? lastWindow?.lastError ?? '-');
}

/** Escapes Markdown, because error texts contain names from the cluster. */
function inline(text: string): string {
  return text.replaceAll(/\s+/g, ' ').replaceAll(/[\\`*_[\]<>|#]/g, (character) => `\\${character}`);
}
