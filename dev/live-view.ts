import { setTimeout as delay } from 'node:timers/promises';

import { errorText } from '../src/failure/thrown.ts';
import type { Terminal } from './terminal.ts';
import type { SeenEdge, TrailReader, TrailSnapshot } from './trail-reader.ts';

const POLL_MS = 1_000;
const PLAIN_EVERY_MS = 15_000;
/** More new edges than this at once (first minute, or after an outage) are shown as a count. */
const NAMED_AT_ONCE = 6;
const HOUR_BUCKETS = 240;

interface LiveViewOptions {
  terminal: Terminal;
  trail: TrailReader;
  /** Why the worker is not polling; undefined when it is. */
  workerNotReady: () => Promise<string | undefined>;
  startedMs: number;
  signal: AbortSignal;
}

/** Shows the trail's progress; resolves when the signal aborts. */
export async function showTrail({
  terminal,
  trail,
  workerNotReady,
  startedMs,
  signal,
}: LiveViewOptions): Promise<void> {
  const news = new News();
  let lastPlainMs = 0;
  let hour: 'waiting' | 'announced' = 'waiting';
  while (!signal.aborted) {
    const nowMs = Date.now();
    const [trouble, snapshot] = await Promise.all([
      workerNotReady(),
      trail.read().catch((error: unknown) => errorText(error)),
    ]);
    if (signal.aborted) break;
    const seconds = Math.round((nowMs - startedMs) / 1000);
    let lines: string[];
    if (typeof snapshot === 'object') {
      for (const line of news.of(snapshot, seconds)) terminal.line(line);
      if (hour === 'waiting' && hasWholeHour(snapshot)) {
        hour = 'announced';
        terminal.line(`the last hour is settled (${seconds} s after the servers started)`);
      }
      lines = describeTrail(snapshot, trouble, nowMs);
    } else {
      lines = [`waiting for the trail: ${trouble ?? snapshot ?? 'no schema yet'}`];
    }
    if (terminal.isInteractive)
      terminal.block(lines.map((line, index) => (index > 0 ? terminal.dim(line) : line)));
    else if (nowMs - lastPlainMs >= PLAIN_EVERY_MS) {
      lastPlainMs = nowMs;
      for (const line of lines) terminal.line(line);
    }
    await delay(POLL_MS, undefined, { signal }).catch(() => undefined);
  }
  terminal.block([]);
}

/** Finds the edges that are new since the last call. */
export class News {
  readonly #known = new Set<string>();
  #looked = false;

  /** One line per new edge; the first edges, and many new ones at once, only as a count. */
  of({ edges }: Pick<TrailSnapshot, 'edges'>, seconds: number): string[] {
    const fresh = edges.filter((edge) => !this.#known.has(nameOf(edge)));
    const first = this.#known.size === 0;
    const kept = !this.#looked;
    this.#looked = true;
    for (const edge of fresh) this.#known.add(nameOf(edge));
    if (fresh.length === 0) return [];
    if (first) {
      return [
        kept
          ? `${fresh.length} edges from earlier starts`
          : `first ${fresh.length} edges (${seconds} s after the servers started)`,
      ];
    }
    if (fresh.length > NAMED_AT_ONCE) return [`+ ${fresh.length} new edges`];
    return fresh.map((edge) => `+ ${nameOf(edge)}`);
  }
}

function nameOf({ srcNs, dstNs, action }: SeenEdge): string {
  return `${srcNs} -> ${dstNs}${action === 'allow' ? '' : ` (${action})`}`;
}

/**
 * All except the newest six minutes, which are not settled yet, and the oldest two minutes, which may leave the ring
 * before they are settled.
 */
function hasWholeHour({ coverage }: TrailSnapshot): boolean {
  return coverage.final + coverage.settled >= HOUR_BUCKETS - 32;
}

/** The trail in three lines. */
export function describeTrail(snapshot: TrailSnapshot, trouble: string | undefined, nowMs: number): string[] {
  const { edges, records, coverage, newestEndSeconds, lastMergeMs } = snapshot;
  const denied = edges.filter(({ action }) => action === 'deny').length;
  const lag = newestEndSeconds === undefined ? 'nothing yet' : age(nowMs - newestEndSeconds * 1000);
  const merge = lastMergeMs === undefined ? 'none yet' : age(nowMs - lastMergeMs);
  const { final, settled, streamed, gap } = coverage;
  // A bucket that has not been read yet has no row.
  const waiting = Math.max(0, HOUR_BUCKETS - final - settled - streamed - gap);
  const lines = [
    `${edges.length} edges (${denied} denied), ${records.toLocaleString('en')} records; ` +
      `lag ${lag}, last merge ${merge}${merge.endsWith('s') ? ' ago' : ''}`,
    `last hour: ${final + settled} of ${HOUR_BUCKETS} buckets settled (${final} final), ${streamed} streamed, ` +
      `${waiting} waiting, ${gap} missed`,
  ];
  const why = trouble ?? snapshot.trouble;
  if (why !== undefined) lines.push(`worker: ${why}`);
  return lines;
}

function age(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 120) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 120 ? `${minutes} minutes` : `${Math.round(minutes / 60)} hours`;
}
