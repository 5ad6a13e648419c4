import { expect, test } from 'vitest';
import { merge } from '../../src/trail/merge/merge.ts';
import { readDashboard } from '../deploy/rules.ts';
import { databasePerTest } from '../support/database.ts';
import { batch, listed, options, startSeconds } from './ledger-batches.ts';

const db = databasePerTest();

const iso = (seconds: number) => new Date(seconds * 1000).toISOString();

test('every SQL panel of the Grafana dashboard returns the rows of the database', async () => {
  const { query } = db.database;
  const range = { from: iso(startSeconds - 7_200), to: iso(startSeconds + 3_600) };
  await merge(db.database, [batch(startSeconds, [listed(1)], { settled: 'final' })], options);
  await query(`insert into edge select 'web', 'vault', 'deny', first_seen, last_seen, 3 from edge limit 1`);
  await query(
    `insert into coverage (from_time, to_time, state, cause, refused_records) values
       ($1, $2, 'final', null, 0), ($2, $3, 'gap', 'the worker was down', 0), ($3, $4, 'incomplete', null, 7)`,
    [startSeconds - 90_000, startSeconds - 3_600, startSeconds - 1_800, startSeconds].map(iso),
  );
  await query(
    `insert into digest (digest_id, frozen_at, summary, gaps_told_until) values ('d1', now(), '{}', now())`,
  );
  await query(
    `insert into namespace_verdict (namespace, verdict, since, report_id) values ('web', 'complete', now(), 'r1')`,
  );
  await query(
    `insert into export_gap (from_time, to_time, reason, cause, records) values ($1, $2, 'rejected', 'too long', 1)`,
    [startSeconds - 1_800, startSeconds].map(iso),
  );

  const { panels, templating } = await readDashboard();
  const known = new Set(templating.list.map(({ name }) => name));
  const asked: string[] = [];
  for (const { title, targets } of panels)
    for (const { rawSql, expr, datasource } of targets) {
      expect(known, title).toContain(datasource.uid.replace(/^\$\{(\w+)\}$/, '$1'));
      expect(datasource.type === 'prometheus' ? expr : rawSql, title).toBeDefined();
      if (rawSql === undefined) continue;
      // Grafana's expansion of its PostgreSQL macros.
      const sql = rawSql
        .replaceAll(/\$__timeFilter\((\w+)\)/g, `$1 BETWEEN '${range.from}' AND '${range.to}'`)
        .replaceAll('$__timeFrom()', `'${range.from}'`)
        .replaceAll('$__timeTo()', `'${range.to}'`);
      expect(sql, title).not.toContain('$');
      const rows = await query(sql).catch((error: unknown) => {
        throw new Error(`the query of panel "${title}" failed`, { cause: error });
      });
      expect(rows.length, title).toBeGreaterThan(0);
      asked.push(title);
    }
  expect(asked).toEqual(
    expect.arrayContaining(['Gaps and incomplete time', 'New edges in this period', 'Gaps of the export']),
  );
  const gaps = panels.find(({ title }) => title === 'Gaps and incomplete time');
  expect(gaps?.targets[0]?.rawSql).toContain('incomplete');
});

test('no panels of the dashboard overlap', async () => {
  const { panels } = await readDashboard();
  const cells = new Set<string>();
  for (const { title, gridPos } of panels) {
    expect(gridPos.x + gridPos.w, title).toBeLessThanOrEqual(24);
    for (let x = gridPos.x; x < gridPos.x + gridPos.w; x += 1)
      for (let y = gridPos.y; y < gridPos.y + gridPos.h; y += 1) {
        expect(cells.has(`${x},${y}`), title).toBe(false);
        cells.add(`${x},${y}`);
      }
  }
});
