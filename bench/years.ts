import { daySeconds } from '../src/time/units.ts';
import { encodeFlowKey, encodeList, encodeRecord } from '../dev/goldmane/encode.ts';
import { Window } from '../dev/goldmane/window.ts';
import { below } from '../dev/simulation/random.ts';
import { BUCKET_SECONDS } from '../dev/simulation/cadence.ts';
import { memoryLimits } from '../src/config/memory-limits.ts';
import { FlowDecoder } from '../src/goldmane/decoder/decode.ts';
import { openDatabase, type Database } from '../src/trail/database/database.ts';
import { expireLedger } from '../src/trail/merge/ledger.ts';
import { foldList } from '../src/trail/fold/fold-list.ts';
import { foldRarePorts } from '../src/trail/facts/fold-rare-ports.ts';
import { merge } from '../src/trail/merge/merge.ts';
import { verify } from '../src/trail/verify.ts';
import { runToEnd } from '../test/support/run-to-end.ts';
import type { Lab } from './lab.ts';
import type { Row } from './table.ts';
import { flowsOfBucket, userRecords } from './traffic.ts';

const section = 'years';
const start = Date.parse('2026-01-05T00:00:00Z') / 1000;
const portCap = 64;
const ledgerSeconds = 2 * 3_600;
const mib = 2 ** 20;
/** The defaults of SERVICE_IDENTITY_LABEL and SERVICE_IDENTITY_NAMESPACES. */
const identities = {
  label: 'service-identity',
  namespaces: new Set(['monitoring', 'kube-system', 'dbaas']),
};

interface Period {
  name: string;
  days: number;
  /** Of `oneIn` buckets, one is merged; which one differs from day to day. */
  oneIn: number;
}

const week: Period = { name: 'a week', days: 7, oneIn: 8 };
const year: Period = { name: 'a year', days: 365, oneIn: 480 };

/**
 * Measures the size of the database after a week and a year: buckets of the usual size are listed, folded and merged as
 * in the worker, with housekeeping after each day. Only some buckets are merged, enough to contain every recurring
 * connection each day; the others would update rows but add none.
 */
export async function yearsSection(lab: Lab, print: (line: string) => void): Promise<Row[]> {
  const rows: Row[] = [];
  for (const period of [week, year]) rows.push(...(await simulate(lab, period, print)));
  const valueOf = (what: string) => rows.find((row) => row.what === what)?.value ?? Number.NaN;
  const factsPerEdge = ({ name }: Period) => valueOf(`${name}: facts`) / valueOf(`${name}: edges`);
  return [
    ...rows,
    {
      section,
      what: 'facts per edge of a year, relative to a week',
      value: factsPerEdge(year) / factsPerEdge(week),
      unit: 'x',
      limit: { atMost: 1.5 },
      note: 'new connections add facts; recurring ones add only days',
    },
  ];
}

async function simulate(
  lab: Lab,
  { name, days, oneIn }: Period,
  print: (line: string) => void,
): Promise<Row[]> {
  const { url } = await lab.database();
  const database = openDatabase({ url }, { timeouts: { connectMs: 10_000, statementMs: 600_000 } });
  const decoder = new FlowDecoder(memoryLimits);
  try {
    print(`years: ${name}, one bucket in ${oneIn}`);
    const empty = await measure(database);
    let buckets = 0;
    for (let day = 0; day < days; day += 1) {
      const from = start + day * daySeconds;
      const offset = below(oneIn, day) * BUCKET_SECONDS;
      for (let at = from + offset; at < from + daySeconds; at += oneIn * BUCKET_SECONDS) {
        await mergeBucket(database, decoder, at);
        buckets += 1;
      }
      await expireLedger(database, ledgerSeconds);
      await foldRarePorts(database, portCap, from + daySeconds);
      await database.withClient((client) => client.query('vacuum'));
    }
    const full = await measure(database);
    const differences = await verify(database);
    const bytes = full.bytes - empty.bytes;
    const allBuckets = (days * daySeconds) / BUCKET_SECONDS;
    return [
      {
        section,
        what: `${name}: database`,
        value: bytes / mib,
        unit: 'MiB',
        note: `${buckets.toLocaleString('en-US')} of ${allBuckets.toLocaleString('en-US')} buckets merged`,
      },
      { section, what: `${name}: database, per bucket of the period`, value: bytes / allBuckets, unit: 'B' },
      {
        section,
        what: `${name}: WAL, per merged bucket`,
        value: (full.wal - empty.wal) / buckets / 1024,
        unit: 'KiB',
      },
      { section, what: `${name}: edges`, value: full.edges, unit: 'rows' },
      { section, what: `${name}: facts`, value: full.facts, unit: 'rows' },
      { section, what: `${name}: days of facts`, value: full.factDays, unit: 'rows' },
      {
        section,
        what: `${name}: differences that verify finds`,
        value: differences.length,
        unit: '',
        limit: { atMost: 0 },
      },
    ];
  } finally {
    await database.close();
  }
}

async function mergeBucket(database: Database, decoder: FlowDecoder, startSeconds: number): Promise<void> {
  const answer = encodeList(
    flowsOfBucket(userRecords, startSeconds).map((flow, index) =>
      encodeRecord({
        id: index + 1,
        encodedKey: encodeFlowKey(flow),
        startSeconds,
        endSeconds: startSeconds + BUCKET_SECONDS,
        window: new Window(flow, flow.sourceLabels, flow.destLabels),
      }),
    ),
  );
  const { records } = runToEnd(foldList(decoder, answer, startSeconds, identities));
  await merge(database, [{ startSeconds, records, settled: 'final' }], {
    portCap,
    nowSeconds: startSeconds + 3_300,
  });
}

async function measure({ query }: Database) {
  const [row] = await query<{ bytes: number; wal: number; edges: number; facts: number; days: number }>(
    `select pg_database_size(current_database())::float8 as bytes,
       pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::float8 as wal,
       (select count(*) from edge)::float8 as edges, (select count(*) from flow_fact)::float8 as facts,
       (select count(*) from flow_fact_day)::float8 as days`,
  );
  if (!row) throw new Error('the database reports no size');
  return { bytes: row.bytes, wal: row.wal, edges: row.edges, facts: row.facts, factDays: row.days };
}
