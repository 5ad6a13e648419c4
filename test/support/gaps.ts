import { defaultPayloadConverter } from '@temporalio/common';
import { expect } from 'vitest';
import type { Flow } from '../../dev/goldmane/flow.ts';
import type { GapReport, SettleSummary, StreamSummary } from '../../src/ingest/summary.ts';
import type { CoverageStretch } from '../../src/trail/coverage-ranges/coverage.ts';
import { freshWindowSignal } from '../../src/workflows/messages.ts';
import { supervisorWorkflowId } from '../../src/config/temporal-names.ts';
import type { TrailStatus } from '../../src/workflows/status.ts';
import { readEdges } from './database.ts';
import { sortEdges, type EdgeRow } from './capture.ts';
import { until } from './poll.ts';
import type { World } from './world.ts';

/** Whether coverage shows the bucket as settled. */
export function isSettled(coverage: readonly CoverageStretch[], startSeconds: number): boolean {
  return coverage.some(
    ({ state, fromSeconds, toSeconds }) =>
      (state === 'settled' || state === 'final') && fromSeconds <= startSeconds && startSeconds < toSeconds,
  );
}

/** Whether coverage shows the bucket as settled or incomplete. */
export function isListed(coverage: readonly CoverageStretch[], startSeconds: number): boolean {
  const isIncomplete = ({ state, fromSeconds, toSeconds }: CoverageStretch) =>
    state === 'incomplete' && fromSeconds <= startSeconds && startSeconds < toSeconds;
  return isSettled(coverage, startSeconds) || coverage.some(isIncomplete);
}

/** Expects facts between workloads of two namespaces to equal the generated flows that `keep` accepts. @returns them by edge */
export async function expectFactsOf(
  world: World,
  keep: (startSeconds: number, flow: Flow) => boolean,
): Promise<EdgeRow[]> {
  const facts = sortEdges(
    await world.db.database.query<EdgeRow>(
      `select src_ns, dst_ns, action, min(extract(epoch from first_seen))::float8 as first_seen,
         max(extract(epoch from last_seen))::float8 as last_seen, sum(flow_count)::float8 as flow_count
       from flow_facts where src_kind = 'workload' and dst_kind = 'workload' and src_ns <> '' and dst_ns <> '' and src_ns <> dst_ns group by 1, 2, 3`,
    ),
  );
  expect(facts).toEqual(world.traffic.expectedEdges(keep));
  return facts;
}

/** Waits until no time before `untilSeconds` is pending, and everything from `settledFromSeconds` to there is settled. */
export function untilCovered(
  world: World,
  settledFromSeconds: number,
  untilSeconds = world.traffic.toSeconds,
): Promise<CoverageStretch[]> {
  return until(
    `no time is pending, and everything since ${new Date(settledFromSeconds * 1000).toISOString()} is settled`,
    async () => {
      const coverage = await world.coverage();
      const open = coverage.find(
        ({ state, fromSeconds, toSeconds }) =>
          fromSeconds < untilSeconds &&
          (state === 'pending' || (state === 'streamed' && toSeconds > settledFromSeconds)),
      );
      if (coverage.length > 0 && !open && (coverage.at(-1)?.toSeconds ?? 0) >= untilSeconds) return coverage;
      throw new Error(JSON.stringify(coverage));
    },
    120_000,
  );
}

/**
 * Expects that everything that could be observed is counted once: facts are exactly the flows of settled buckets and
 * those that `isMerged` accepts (merged without being settled); edges additionally count the streamed records of
 * buckets that were never settled.
 */
export async function expectAllRemaining(
  world: World,
  coverage: readonly CoverageStretch[],
  isMerged: (flow: Flow) => boolean = () => false,
): Promise<void> {
  const { query } = world.db.database;
  const facts = await expectFactsOf(
    world,
    (startSeconds, flow) => isSettled(coverage, startSeconds) || isMerged(flow),
  );
  const [ledger] = await query<{ streamed: number }>(
    'select coalesce(sum(length(streamed)) / 8, 0)::int as streamed from bucket_ledger',
  );
  const edges = await readEdges(world.db.database);
  expect(countOf(edges)).toBe(countOf(facts) + (ledger?.streamed ?? 0));
  const generated = new Map(world.traffic.expectedEdges().map((row) => [nameOf(row), row.flow_count]));
  const inFacts = new Map(facts.map((row) => [nameOf(row), row.flow_count]));
  for (const edge of edges) {
    expect(edge.flow_count).toBeGreaterThanOrEqual(inFacts.get(nameOf(edge)) ?? 0);
    expect(edge.flow_count).toBeLessThanOrEqual(generated.get(nameOf(edge)) ?? 0);
  }
}

function nameOf({ src_ns, dst_ns, action }: EdgeRow): string {
  return `${src_ns} ${dst_ns} ${action}`;
}

function countOf(rows: readonly EdgeRow[]): number {
  return rows.reduce((sum, { flow_count }) => sum + flow_count, 0);
}

export function gapsOf(coverage: readonly CoverageStretch[]): GapReport[] {
  return coverage
    .filter(({ state }) => state === 'gap')
    .map(({ fromSeconds, toSeconds, cause = '' }) => ({
      from: new Date(fromSeconds * 1000).toISOString(),
      to: new Date(toSeconds * 1000).toISOString(),
      cause,
    }));
}

/** Waits until the supervisor reports exactly these gaps. */
export function untilGapsReported(world: World, gaps: readonly GapReport[]): Promise<void> {
  return until('the supervisor reports the gaps', async () => {
    const status = await world.supervisor<TrailStatus>('status');
    expect(status.gaps).toEqual(gaps);
    return true;
  }).then(() => undefined);
}

/**
 * Ends the current window and reads the gaps in the summaries of all windows from history. Parts of one gap are joined,
 * because on a busy machine a gap is decided in several windows.
 */
export async function gapsInSummaries(world: World): Promise<GapReport[]> {
  const { settle } = await world.supervisor<TrailStatus>('status');
  const before = settle.lastWindow?.to;
  await world.temporal((client) => client.workflow.getHandle(supervisorWorkflowId).signal(freshWindowSignal));
  await until('the window has ended', async () => {
    const status = await world.supervisor<TrailStatus>('status');
    return status.settle.lastWindow !== undefined && status.settle.lastWindow.to !== before
      ? true
      : undefined;
  });
  const { events } = await world.temporal((client) =>
    client.workflow.getHandle(supervisorWorkflowId).fetchHistory(),
  );
  const gaps = (events ?? []).flatMap(({ activityTaskCompletedEventAttributes: completed }) => {
    const [payload] = completed?.result?.payloads ?? [];
    if (!payload) return [];
    const summary = defaultPayloadConverter.fromPayload<StreamSummary | SettleSummary>(payload);
    return summary.reader === 'settle' ? summary.gaps : [];
  });
  const joined: GapReport[] = [];
  for (const gap of gaps) {
    const last = joined.at(-1);
    if (last?.to === gap.from && last.cause === gap.cause) last.to = gap.to;
    else joined.push({ ...gap });
  }
  return joined;
}
