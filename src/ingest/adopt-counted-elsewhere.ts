import { adoptIfCountedElsewhere } from '../trail/edges/adopt.ts';
import type { Deps } from './deps.ts';

/**
 * The readers merge streamed buckets within about 90 s. If an edge was seen so much later than the newest one of them, another program
 * counted it while nothing was read: its counts are adopted, or settling would count them again. Called before a worker or a window
 * merges anything.
 * @param aheadSeconds how much later; 0 if no reader runs
 * @throws DatabaseFailure
 */
export async function adoptCountedElsewhere(
  { database, config, log }: Pick<Deps, 'database' | 'config' | 'log'>,
  aheadSeconds = 120,
): Promise<void> {
  const adoption = await adoptIfCountedElsewhere(database, config.clock.now() / 1_000, aheadSeconds);
  if (adoption)
    log.warn(
      { until: adoption.until, formerUntil: adoption.formerUntil, edges: adoption.edges.length },
      'Another program counted edges while nothing was read; its counts were adopted',
    );
}
