import { expect } from 'vitest';
import type { CoverageStretch } from '../../src/trail/coverage-ranges/coverage.ts';
import { readEdges } from '../support/database.ts';
import { isGap } from '../support/faults.ts';
import { isListed, expectFactsOf } from '../support/gaps.ts';
import type { Installation } from './installation.ts';

const settleLimitMs = 600_000;

export interface Result {
  edges: number;
  records: number;
  hours: number;
  gaps: CoverageStretch[];
  unexpectedExits: readonly string[];
}

/**
 * Checks the result of a soak. Without gaps: edges equal the generated flows, and facts explain each count. With gaps:
 * each has a cause, and facts are exactly the flows outside the gaps. In both cases, incomplete time accounts for the
 * malformed records, `verify` finds no difference, and a digest announces every edge.
 */
export async function expectAccepted(installation: Installation): Promise<Result> {
  const { world } = installation;
  const { database } = world.db;
  await world.traffic.stop();
  const coverage = await world.untilSettled(world.traffic.toSeconds, settleLimitMs);
  const gaps = coverage.filter(isGap);
  const refused = coverage.reduce((sum, { refusedRecords = 0 }) => sum + refusedRecords, 0);
  const edges = await readEdges(database);
  if (gaps.length === 0) {
    await world.expectExactly();
    expect(refused).toBe(installation.malformedRecords);
  } else {
    for (const gap of gaps) expect(gap.cause ?? '').not.toBe('');
    await expectFactsOf(world, (startSeconds) => isListed(coverage, startSeconds));
    expect(refused).toBeLessThanOrEqual(installation.malformedRecords);
  }
  const verified = await installation.command('verify');
  expect(verified, verified.out + verified.err).toMatchObject({ code: 0 });
  const digest = await installation.command('run', 'digest');
  expect(digest, digest.out + digest.err).toMatchObject({ code: 0 });
  const unannounced = await database.query(
    'select src_ns, dst_ns, action from edge except select src_ns, dst_ns, action from announced_edge',
  );
  expect(unannounced).toEqual([]);
  return {
    edges: edges.length,
    records: edges.reduce((sum, { flow_count }) => sum + flow_count, 0),
    hours: (world.traffic.toSeconds - world.traffic.fromSeconds) / 3_600,
    gaps,
    unexpectedExits: installation.unexpectedExits,
  };
}
