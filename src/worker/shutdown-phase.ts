import type { Logger } from 'pino';
import { pause } from './waiting.ts';

const phaseLimitMs = 5_000;

/** Runs one phase of the shutdown, with a limit of a few seconds so that it does not delay the others. */
export async function shutdownPhase(
  log: Logger,
  name: string,
  work: Promise<unknown> | undefined,
): Promise<void> {
  if (!work) return;
  const limit = new AbortController();
  const ended = work.then(
    () => true,
    (error: unknown) => {
      log.warn({ err: error, phase: name }, 'A phase of the shutdown failed');
      return true;
    },
  );
  const isInTime = await Promise.race([ended, pause(phaseLimitMs, limit.signal).then(() => false)]);
  limit.abort();
  if (!isInTime) log.warn({ phase: name }, 'A phase of the shutdown took too long');
}
