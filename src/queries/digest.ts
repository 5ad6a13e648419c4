import type { Config } from '../config/config.ts';
import { composeDigest, firstPeriodMs, type DigestReport } from '../reports/digest.ts';
import { gapsReportedUntil } from '../reports/digest-gaps.ts';
import { countTakenAsKnown, readUnannounced } from '../trail/jobs/announcements.ts';
import { readCoverage, type CoverageStretch } from '../trail/coverage-ranges/coverage.ts';
import type { Query } from '../trail/database/database.ts';
import { allEdges, queryEdges, type EdgeRow } from '../trail/edges/query-edges.ts';
import { readTrailTotals } from '../trail/edges/trail-totals.ts';
import { readDigestsBefore } from '../trail/jobs/digests.ts';

export interface ReadDigest {
  report: DigestReport;
  gapsReportedUntil: Date;
  /** The contents of the report: the period, its edges and its gaps. */
  from: Date;
  to: Date;
  edges: EdgeRow[];
  gaps: CoverageStretch[];
}

/** The digest that would be posted now under this id. Read-only. @throws DatabaseFailure */
export async function readDigestReport(
  query: Query,
  { clock, jobs }: Pick<Config, 'clock' | 'jobs'>,
  digestId: string,
): Promise<ReadDigest> {
  const now = new Date(clock.now());
  const before = await readDigestsBefore(query, digestId);
  const dayAgoSeconds = knownBefore(clock.now());
  const coverageFrom = before.posted?.gapsReportedUntil ?? new Date(now.getTime() - firstPeriodMs);
  const coverage = await readCoverage(query, coverageFrom.getTime() / 1000, now.getTime() / 1000);
  const edges = await readUnannounced(query, dayAgoSeconds);
  const report = composeDigest({
    digestId,
    edges,
    previousPostedAt: before.posted?.frozenAt,
    previousDoneAt: before.doneAt,
    takenAsKnown: await countTakenAsKnown(query, dayAgoSeconds),
    coverage,
    coverageFrom,
    now,
    timeZone: jobs.timeZone,
    dataNamespaces: jobs.dataNamespaces,
    trail: await readTrailTotals(query),
    deniedEdges: before.posted ? [] : await queryEdges(query, { action: 'deny', limit: allEdges }),
  });
  const reportedUntil = gapsReportedUntil(coverage, now);
  return {
    report,
    gapsReportedUntil: reportedUntil,
    from: before.posted?.frozenAt ?? new Date(now.getTime() - firstPeriodMs),
    to: now,
    edges,
    gaps: coverage.filter(
      ({ state, fromSeconds }) => state === 'gap' && fromSeconds < reportedUntil.getTime() / 1000,
    ),
  };
}

/** The first digest does not announce edges first seen before this time. Epoch seconds. */
export function knownBefore(nowMs: number): number {
  return (nowMs - firstPeriodMs) / 1000;
}
