import type { Client } from '@temporalio/client';
import type { Logger } from 'pino';
import { errorText } from '../failure/thrown.ts';
import { describeWorkflow } from '../temporal/describe-workflow.ts';
import { inTime } from '../temporal/time-limit.ts';
import type { Query } from '../trail/database/database.ts';
import { removePresence, renewPresence } from '../trail/workers/worker-presence.ts';
import { failAttemptsOf } from './lost-attempts.ts';
import { pause } from './waiting.ts';

const renewEveryMs = 10_000;
const callTimeoutMs = 10_000;
/**
 * A worker counts as lost when this worker found its row expired at this many of its own renewals in a row. After a
 * database outage all rows have expired, and each worker needs a moment to renew its row.
 */
const timesBeforeLost = 3;

interface PresenceDeps {
  identity: string;
  /** A random UUID of this process. */
  process: string;
  /** Workflow ids of the supervisors whose activities are taken over. */
  supervisorIds: readonly string[];
  query: Query;
  /** The current client; it is replaced when credentials change. */
  client: () => Client;
  log: Logger;
  /** How long to wait between two renewals, milliseconds. */
  renewEveryMs?: number;
}

/**
 * Shows the other workers of this trail that this one is alive, and fails the attempts of a lost worker, so that Temporal
 * starts new ones within a minute. Temporal itself detects a lost worker only by missing heartbeats, which are minutes
 * apart because each is billed. Runs until the signal aborts; never rejects.
 */
export async function keepPresence(deps: PresenceDeps, signal: AbortSignal): Promise<void> {
  const { identity, process, query } = deps;
  const lost = new LostWorkers();
  let logged = '';
  const renew = async (): Promise<string[]> => {
    try {
      return lost.seen(await renewPresence(query, identity, process));
    } catch (error) {
      lost.reset();
      throw error;
    }
  };
  while (!signal.aborted) {
    try {
      const gone = await renew();
      if (gone.length > 0) await takeOver(deps, gone);
      logged = '';
    } catch (error) {
      const reason = errorText(error);
      if (reason !== logged) deps.log.warn({ reason }, 'Lost workers cannot be detected; retrying');
      logged = reason;
    }
    await pause(deps.renewEveryMs ?? renewEveryMs, signal);
  }
  await removePresence(query, identity, process).catch(() => undefined);
}

async function takeOver(
  { supervisorIds, client: current, log }: PresenceDeps,
  gone: string[],
): Promise<void> {
  const client = current();
  const lost = new Set(gone);
  const activities = await inTime(client, callTimeoutMs, async () => {
    const failed: string[] = [];
    for (const id of supervisorIds) {
      const supervisor = await describeWorkflow(client, id);
      if (supervisor) failed.push(...(await failAttemptsOf(client, supervisor, lost)));
    }
    return failed;
  });
  if (activities.length > 0)
    log.warn({ workers: gone, activities }, 'A worker was lost; Temporal starts its activities again');
}

/** Counts the consecutive renewals at which each row had expired. */
export class LostWorkers {
  #times = new Map<string, number>();

  /** @returns the workers that count as lost */
  seen(expired: readonly string[]): string[] {
    this.#times = new Map(expired.map((identity) => [identity, (this.#times.get(identity) ?? 0) + 1]));
    return expired.filter((identity) => (this.#times.get(identity) ?? 0) >= timesBeforeLost);
  }

  /** Call this when a renewal failed: during an outage, rows expire although no worker is lost. */
  reset(): void {
    this.#times.clear();
  }
}
