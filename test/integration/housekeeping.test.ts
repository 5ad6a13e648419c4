import fc from 'fast-check';
import { describe, expect, inject, test } from 'vitest';
import { applyRetention } from '../../src/activities/housekeeping.ts';
import { coarsenCoverage } from '../../src/trail/coverage-ranges/coarsen-coverage.ts';
import {
  readCoverage,
  type CoverageState,
  type CoverageStretch,
} from '../../src/trail/coverage-ranges/coverage.ts';
import { databasePerTest } from '../support/database.ts';
import { JobWorker } from '../support/job-worker.ts';
import { testDeps } from './deps.ts';
import { podIn } from './ledger-batches.ts';
import {
  at,
  storeSettled,
  monday,
  mergeRecords,
  mergeDaily,
  fixedClock,
  recordBetween,
} from './watched-days.ts';

const { database } = databasePerTest();

const nothingDeleted = {
  ledgerBuckets: 0,
  coverageStretches: 0,
  completenessReports: 0,
  digestMessages: 0,
  foldedPorts: 0,
  factDays: 0,
  exportMarks: 0,
};

async function putCoverage(stretches: readonly CoverageStretch[]): Promise<void> {
  await database.query('truncate coverage');
  await database.query(
    `insert into coverage select to_timestamp(f), to_timestamp(t), s, c
     from unnest($1::float8[], $2::float8[], $3::text[], $4::text[]) as i(f, t, s, c)`,
    [
      stretches.map(({ fromSeconds }) => fromSeconds),
      stretches.map(({ toSeconds }) => toSeconds),
      stretches.map(({ state }) => state),
      stretches.map(({ cause }) => cause ?? null),
    ],
  );
  await database.query(
    'update trail_state set began_at = to_timestamp($1), decided_until = to_timestamp($2)',
    [monday, stretches.at(-1)?.toSeconds ?? monday],
  );
}

const coverage = () => readCoverage(database.query, 0, at(1_000));

function written(stretches: readonly CoverageStretch[]): string[] {
  return stretches
    .filter(({ state }) => state !== 'pending')
    .map(({ fromSeconds, toSeconds, state, cause }) =>
      [(fromSeconds - monday) / 15, (toSeconds - monday) / 15, state, cause].join(' ').trim(),
    );
}

function stretch(from: number, to: number, state: CoverageState, cause?: string): CoverageStretch {
  return {
    fromSeconds: monday + from * 15,
    toSeconds: monday + to * 15,
    state,
    ...(cause === undefined ? {} : { cause }),
  };
}

describe('old coverage', () => {
  test('is coarsened to settled, streamed, and gaps with their causes', async () => {
    await putCoverage([
      stretch(0, 4, 'final'),
      stretch(4, 5, 'settled'),
      stretch(5, 9, 'final'),
      stretch(9, 10, 'streamed'),
      stretch(10, 11, 'final'),
      stretch(11, 12, 'gap', 'restarted'),
      stretch(12, 13, 'gap', 'away'),
      stretch(13, 14, 'settled'),
      stretch(14, 20, 'final'),
      stretch(20, 30, 'settled'),
    ]);
    expect(await coarsenCoverage(database, monday + 20 * 15)).toBe(3);
    expect(written(await coverage())).toEqual([
      '0 9 settled',
      '9 10 streamed',
      '10 11 final',
      '11 12 gap restarted',
      '12 13 gap away',
      '13 20 settled',
      '20 30 settled',
    ]);
    expect(await coarsenCoverage(database, monday + 20 * 15)).toBe(0);
  });

  test('keeps the state of all time (settled, streamed, or a gap with its cause), and younger coverage unchanged', async () => {
    const anyStretches = fc
      .array(
        fc.record({
          buckets: fc.integer({ min: 1, max: 9 }),
          state: fc.constantFrom<CoverageState>('final', 'settled', 'final', 'settled', 'streamed', 'gap'),
          cause: fc.constantFrom('away', 'restarted'),
        }),
        { minLength: 1, maxLength: 25, size: 'max' },
      )
      .map((parts) => {
        let from = 0;
        return parts.map(({ buckets, state, cause }) => {
          const start = from;
          from += buckets;
          return stretch(start, from, state, state === 'gap' ? cause : undefined);
        });
      });
    const kinds = (stretches: readonly CoverageStretch[]) =>
      stretches.flatMap(({ fromSeconds, toSeconds, state, cause }) =>
        Array.from({ length: (toSeconds - fromSeconds) / 15 }, (_, n) => {
          const kind = state === 'final' ? 'settled' : state;
          return `${(fromSeconds - monday) / 15 + n} ${kind} ${cause ?? ''}`;
        }),
      );
    await fc.assert(
      fc.asyncProperty(anyStretches, fc.nat(150), async (stretches, cut) => {
        await putCoverage(stretches);
        const before = monday + cut * 15;
        const saved = await coarsenCoverage(database, before);
        const after = (await coverage()).filter(({ state }) => state !== 'pending');
        expect(kinds(after)).toEqual(kinds(stretches));
        expect(await database.query('select from coverage')).toHaveLength(stretches.length - saved);
        expect(written(after).filter((line) => line.includes('gap'))).toEqual(
          written(stretches).filter((line) => line.includes('gap')),
        );
        for (const young of stretches.filter(({ toSeconds }) => toSeconds > before))
          expect(after).toContainEqual(young);
        expect(await coarsenCoverage(database, before)).toBe(0);
      }),
      { numRuns: 60 },
    );
  });
});

describe('a run', () => {
  async function digest(id: string, doneDays: number | null): Promise<void> {
    await database.query(
      `insert into digest (digest_id, frozen_at, summary, gaps_told_until, outcome, done_at)
       values ($1, to_timestamp($2), '{}', to_timestamp($2), $3, to_timestamp($4))`,
      [id, at(0), doneDays === null ? null : 'posted', doneDays === null ? null : at(doneDays)],
    );
    await database.query(`insert into digest_message values ($1, 1, '{}', '[]', to_timestamp($2))`, [
      id,
      at(0),
    ]);
    await database.query(
      `insert into edge values ($1, 'b', 'allow', to_timestamp($2), to_timestamp($2), 0)`,
      [id, at(0)],
    );
    await database.query(`insert into announced_edge values ($1, 'b', 'allow', $1, to_timestamp($2))`, [
      id,
      at(0),
    ]);
  }

  async function report(id: string, days: number): Promise<void> {
    await database.query(
      `insert into completeness_report (report_id, made_at, summary, namespaces, is_whole) values ($1, to_timestamp($2), '{}', '[]', false)`,
      [id, at(days)],
    );
  }

  test('deletes rows older than the settings allow, but no edges, facts or announcements', async () => {
    await mergeDaily(database, 0, 3);
    await storeSettled(database, 3);
    await putCoverage([
      stretch(0, 4, 'final'),
      stretch(4, 5, 'settled'),
      stretch(5, 6, 'gap', 'away'),
      { ...stretch(6, 7, 'final'), toSeconds: at(460) },
      { ...stretch(6, 7, 'settled'), fromSeconds: at(460), toSeconds: at(470) },
    ]);
    for (const minutes of [0, 60, 119, 181])
      await mergeRecords(database, 469 + minutes / 1_440, recordBetween(podIn('a'), podIn('b')));
    await Promise.all([digest('old', 60), digest('young', 80), digest('unfinished', null)]);
    await Promise.all([report('old', 60), report('young', 80)]);
    const kept = () =>
      Promise.all(
        ['edge', 'flow_fact', 'flow_fact_day', 'announced_edge', 'digest'].map((table) =>
          database.query(`select xmin::text, t.* from ${table} t order by 2, 3`),
        ),
      );
    const before = await kept();
    const deps = testDeps(database, fixedClock(470));
    deps.config.jobs.retention.factDays = 1_000;
    expect(await applyRetention(deps)).toEqual({
      ...nothingDeleted,
      ledgerBuckets: 2,
      coverageStretches: 1,
      completenessReports: 1,
      digestMessages: 1,
      verified: 'all tables agree',
    });
    expect(await kept()).toEqual(before);
    expect(await database.query('select digest_id from digest_message order by 1')).toEqual([
      { digest_id: 'unfinished' },
      { digest_id: 'young' },
    ]);
    expect(await database.query('select report_id from completeness_report')).toEqual([
      { report_id: 'young' },
    ]);
    expect(await applyRetention(deps)).toEqual({ ...nothingDeleted, verified: 'not due' });
  });

  test('shows the number of deleted rows in the UI', async () => {
    const worker = await JobWorker.start(inject('temporalAddress'), database, {});
    try {
      expect(await worker.run('housekeeping')).toEqual({
        result: { ...nothingDeleted, verified: 'all tables agree' },
      });
    } finally {
      await worker.close();
    }
  });
});
