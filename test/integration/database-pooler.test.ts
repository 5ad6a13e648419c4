import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from 'vitest';
import { adoptIfCountedElsewhere } from '../../src/trail/edges/adopt.ts';
import { openDatabase, type Database } from '../../src/trail/database/database.ts';
import { withLease } from '../../src/trail/workers/lease.ts';
import { merge } from '../../src/trail/merge/merge.ts';
import { migrate } from '../../src/trail/database/migrate.ts';
import { verify } from '../../src/trail/verify.ts';
import { Aggregator } from '../support/aggregator.ts';
import { createTestDatabase, databasePerTest, readEdges } from '../support/database.ts';
import { pgbouncerPath, startPgBouncer, type PgBouncer } from '../support/pgbouncer.ts';
import { batch, listed, options, startSeconds } from './ledger-batches.ts';

describe.skipIf(pgbouncerPath === undefined).each(['session', 'transaction'] as const)(
  'behind PgBouncer in %s mode, with its default settings',
  (mode) => {
    let pooler: PgBouncer;
    const db = databasePerTest(createTestDatabase);
    const closing: (() => Promise<unknown>)[] = [];

    beforeAll(async () => {
      pooler = await startPgBouncer(inject('postgresUrl'), mode, { default_pool_size: '6' });
    });
    afterAll(() => pooler.stop());
    afterEach(async () => {
      for (const close of closing.splice(0)) await close();
    });

    function open(change: (url: URL) => void = () => undefined): Database {
      const url = pooler.url(new URL(db.url).pathname.slice(1));
      change(url);
      const database = openDatabase(
        { url: url.href },
        { timeouts: { connectMs: 10_000, statementMs: 20_000 } },
      );
      closing.push(() => database.close());
      return database;
    }

    test('the schema is migrated once when several workers start', async () => {
      const applied = await Promise.all([1, 2, 3].map(() => migrate(open())));
      expect(applied.filter((names) => names.length > 0)).toHaveLength(1);
      expect(await migrate(open())).toEqual([]);
    });

    test('two concurrent workers merge records with the same result as without a pooler', async () => {
      const workers = [open(), open()] as const;
      await migrate(workers[0]);
      await Promise.all(
        workers.flatMap((worker) =>
          [0, 1, 2].map((n) =>
            merge(
              worker,
              [batch(startSeconds + n * 15, [listed(n), listed(n + 10)], { settled: 'final' })],
              options,
            ),
          ),
        ),
      );
      expect(await readEdges(db.database)).toMatchObject([{ src_ns: 'a', dst_ns: 'b', flow_count: 6 }]);
    });

    test('concurrently started workers adopt the counts of another program once, in the schema of the URL', async () => {
      const inSchema = () => open((url) => url.searchParams.set('options', '-c search_path=cluster_a'));
      await migrate(inSchema());
      const aggregator = new Aggregator(inSchema());
      await aggregator.count({ dstNs: 'b', startSeconds });
      const workers = [inSchema(), inSchema(), inSchema()];
      await Promise.all(workers.map((worker) => adoptIfCountedElsewhere(worker, startSeconds + 60)));
      expect(await inSchema().query('select flow_count::int from edge_adopted')).toEqual([{ flow_count: 1 }]);
      expect(await verify(inSchema())).toEqual([]);
    });

    test('only one worker at a time holds a lease, and the next acquires it afterwards', async () => {
      await migrate(open());
      const [first, second] = [open(), open()];
      const within = await withLease(first, 'digest', async (hold) => {
        await hold();
        return withLease(second, 'digest', () => Promise.resolve('both'));
      });
      expect(within).toBeUndefined();
      expect(await withLease(second, 'digest', () => Promise.resolve('mine'))).toBe('mine');
    });

    test('time limits apply to each transaction and do not leak to other clients', async () => {
      const database = open();
      expect(
        await database.query(
          `select current_setting('statement_timeout') as s, current_setting('lock_timeout') as l`,
        ),
      ).toEqual([{ s: '20s', l: '20s' }]);
      const other = openDatabase({ url: pooler.url(new URL(db.url).pathname.slice(1)).href });
      closing.push(() => other.close());
      const shown = await other.withClient((client) => client.query('show statement_timeout'));
      expect(shown.rows).toEqual([{ statement_timeout: '0' }]);
    });

    test('each cluster has its tables in its own schema', async () => {
      const [a, b] = ['cluster_a', 'cluster_b'].map((schema) =>
        open((url) => url.searchParams.set('options', `-c search_path=${schema}`)),
      );
      if (!a || !b) throw new Error('two were opened');
      await Promise.all([migrate(a), migrate(b)]);
      await merge(a, [batch(startSeconds, [listed(1)], { settled: 'final' })], options);
      await merge(b, [batch(startSeconds, [listed(1), listed(2)], { settled: 'final' })], options);
      expect(await readEdges(a)).toMatchObject([{ flow_count: 1 }]);
      expect(await readEdges(b)).toMatchObject([{ flow_count: 2 }]);
      expect(await db.database.query(`select to_regclass('public.edge') as edge`)).toEqual([{ edge: null }]);
    });
  },
);
