import type { Client } from '@temporalio/client';
import { daySeconds } from '../time/units.ts';
import type { Config } from '../config/config.ts';
import { isFailure } from '../failure/failure.ts';
import { assessFreshness } from '../reports/freshness-state.ts';
import type { HealthFacts, HealthTrail, Unreachable } from '../reports/health/facts.ts';
import { assessHealth } from '../reports/health/assess-health.ts';
import type { HealthReport } from '../reports/health/report.ts';
import { readControlFacts } from '../temporal/control-facts.ts';
import { readAlert } from '../trail/jobs/alerts.ts';
import { readCoverage } from '../trail/coverage-ranges/coverage.ts';
import type { Query } from '../trail/database/database.ts';
import { readClockAhead } from '../trail/database/database-clock.ts';
import { checkSchema } from '../trail/database/migrate.ts';
import { readDigestProgress } from '../trail/jobs/digests.ts';
import { readExportGaps } from '../trail/export/export-gaps.ts';
import { readExportState } from '../trail/export/export-state.ts';
import { readFreshness } from '../trail/jobs/freshness.ts';
import { readClaimedSupervisor, wrongCluster } from '../trail/database/trail-claim.ts';
import { readTrailId } from '../trail/database/trail-id.ts';
const mostExportGaps = 1_000;

type HealthConfig = Pick<Config, 'clock' | 'jobs' | 'names'>;

interface HealthDeps {
  config: HealthConfig;
  query: Query;
  /** Runs a query to Temporal within a time limit. @throws TemporalFailure */
  askTemporal: <Answer>(ask: (client: Client) => Promise<Answer>) => Promise<Answer>;
  formatTime: (time: Date) => string;
  /** Why the worker cannot use a database that responds; the command line does not know this. */
  databaseTrouble?: Unreachable | undefined;
}

/** Reads the facts for the health check and evaluates them; a system that does not respond is part of the report. */
export async function readHealth(deps: HealthDeps): Promise<HealthReport> {
  return assessHealth(await readHealthFacts(deps));
}

/** The facts that `assessHealth` evaluates. */
export async function readHealthFacts({
  config,
  query,
  askTemporal,
  formatTime,
  databaseTrouble,
}: HealthDeps): Promise<HealthFacts> {
  const { clock, names } = config;
  const nowMs = clock.now();
  const clockAheadMs = readClockAhead(query);
  const [trail, control] = await Promise.all([
    orFailure(clockAheadMs.then((ms) => readTrail(query, config, { nowMs, clockAheadMs: ms }, formatTime))),
    orFailure(
      askTemporal((client) =>
        readControlFacts(
          client,
          names,
          clockAheadMs.catch(() => 0),
        ),
      ),
    ),
  ]);
  return { nowMs, trail, control, databaseTrouble, formatTime };
}

async function readTrail(
  query: Query,
  { jobs, names: { supervisorId } }: HealthConfig,
  { nowMs, clockAheadMs }: { nowMs: number; clockAheadMs: number },
  formatTime: (time: Date) => string,
): Promise<HealthTrail> {
  const nowSeconds = nowMs / 1000;
  await checkSchema(query);
  const claimed = await readClaimedSupervisor(query);
  if (claimed !== undefined && claimed !== supervisorId) throw wrongCluster(supervisorId, claimed);
  const facts = await readFreshness(query, nowSeconds);
  return {
    trailId: await readTrailId(query),
    freshness: assessFreshness(facts, { nowMs, ...jobs.freshness, formatTime }),
    crashes: facts.crashes.count,
    newestBucket: facts.newestBucket,
    settledBucket: facts.settledBucket,
    since: facts.since,
    clockAheadMs,
    coverage: await readCoverage(query, nowSeconds - daySeconds, nowSeconds),
    digests: await readDigestProgress(query),
    certificates: await readAlert(query, 'certificates'),
    export: {
      ...(await readExportState(query)),
      gaps: await readExportGaps(query, nowSeconds - daySeconds, mostExportGaps),
    },
  };
}

async function orFailure<Facts>(facts: Promise<Facts>): Promise<Facts | Unreachable> {
  try {
    return await facts;
  } catch (error) {
    if (!isFailure(error)) throw error;
    return { what: error.what, cure: error.cure };
  }
}
