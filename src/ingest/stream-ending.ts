import type { Clock } from '../time/clock.ts';
import { untilQuietMs, type ServerClock } from '../goldmane/server-clock.ts';

const tickMs = 1_000;
const lagLimitMs = 60_000;
/** After regular traffic, this long without a record suggests that another reader stalls the stream. */
const silenceLimitMs = 150_000;

/** Why a connection is closed: its window has ended, it lags, or it fell silent. */
export type StreamEnding = 'window' | 'lag' | 'silence';

/** The stream to watch. */
interface WatchedStream {
  clock: Clock;
  serverClock: ServerClock;
  /** Elapsed milliseconds. */
  windowEndsAtMs: number;
  /** How many records have arrived. */
  records: () => number;
}

/**
 * Waits until a connection must be closed, and then until no bucket is being sent. Never fails.
 * @returns undefined if the signal aborted first
 */
export async function streamEnding(
  { clock, serverClock, windowEndsAtMs, records }: WatchedStream,
  signal: AbortSignal,
): Promise<StreamEnding | undefined> {
  let lastCount = records();
  let lastRecordMs = clock.elapsed();
  while (!signal.aborted) {
    await clock.sleep(tickMs, signal).catch(() => undefined);
    const nowMs = clock.elapsed();
    if (records() !== lastCount) {
      lastCount = records();
      lastRecordMs = nowMs;
    }
    const isSilent = serverClock.isRegular && nowMs - lastRecordMs > silenceLimitMs;
    const why: StreamEnding | undefined =
      nowMs >= windowEndsAtMs
        ? 'window'
        : serverClock.lagMs > lagLimitMs
          ? 'lag'
          : isSilent
            ? 'silence'
            : undefined;
    if (why === undefined) continue;
    await clock.sleep(untilQuietMs(serverClock.nowMs()), signal).catch(() => undefined);
    return signal.aborted ? undefined : why;
  }
  return undefined;
}
