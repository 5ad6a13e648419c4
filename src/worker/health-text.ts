import type { Logger } from 'pino';
import type { Config } from '../config/config.ts';
import { isFailure } from '../failure/failure.ts';
import { readHealth } from '../queries/health.ts';
import { healthLines, type HealthReport } from '../reports/health.ts';
import type { Temporal } from '../temporal/connection.ts';
import { explainNoAnswer } from '../temporal/explain-failure.ts';
import { printableLines } from '../text/printable.ts';
import { zonedTime } from '../time/zoned-time.ts';
import type { Query } from '../trail/database.ts';

const timeoutMs = 10_000;
/** Requests within this time share one report, so that they cannot load the database. */
const reusedMs = 5_000;

/** The report of `flow-trail health`, made in the worker. */
export function workerHealth(config: Config, temporal: Temporal, query: Query): Promise<HealthReport> {
  return readHealth({
    config,
    query,
    formatTime: zonedTime(config.jobs.timeZone).exact,
    askTemporal: async (ask) => {
      const { client, address, namespace } = temporal;
      try {
        return await client.withAbortSignal(AbortSignal.timeout(timeoutMs), () => ask(client));
      } catch (error) {
        throw isFailure(error) ? error : explainNoAnswer(address, namespace, error);
      }
    },
  });
}

/** Makes the report of `flow-trail health` as text, for `/readyz?verbose`. It never rejects. */
export function healthTextOf(
  config: Config,
  temporal: Temporal,
  query: Query,
  log: Logger,
): () => Promise<string> {
  const make = async () => {
    try {
      const { status, checks } = await workerHealth(config, temporal, query);
      return printableLines([status, ...healthLines({ checks })].join('\n'));
    } catch (error) {
      log.warn({ err: error }, 'The health report failed');
      return 'The health report failed; the log has the cause.';
    }
  };
  let report: Promise<string> | undefined;
  let madeAtMs = 0;
  return () => {
    if (!report || performance.now() - madeAtMs >= reusedMs) {
      madeAtMs = performance.now();
      report = make();
    }
    return report;
  };
}
