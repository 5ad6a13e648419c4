import { makeAllowlist } from '../src/queries/allowlist.ts';
import { parseAllowlistInput, type AllowlistFormat } from '../src/policy/derive/input.ts';
import { openDatabase } from '../src/trail/database/database.ts';
import type { Lab } from './lab.ts';
import type { Row } from './table.ts';

const namespaces = 1_000;
const edges = 20_000;
const days = 14;
const until = '2026-11-15T00:00:00.000Z';
const formats: readonly AllowlistFormat[] = ['kubernetes', 'calico-staged', 'csv'];

/** A large cluster: each edge is reported by both ends on two ports, on every day of two covered weeks. */
const evidence = `
  with pair as (
    select n, 'ns-' || lpad((n % ${namespaces})::text, 4, '0') as src,
      'ns-' || lpad(((n % ${namespaces} + 1 + n / ${namespaces} * 7) % ${namespaces})::text, 4, '0') as dst
    from generate_series(0, ${edges - 1}) as n),
  edged as (
    insert into edge select src, dst, 'allow', timestamptz '2026-11-01', timestamptz '${until}', 100 from pair),
  grouped as (
    insert into flow_group
      (src_kind, src_ns, src_identity, dst_kind, dst_ns, dst_identity, protocol, reporter, action)
    select 'workload', src, '', 'workload', dst, '', 'tcp', reporter, 'allow'
    from pair, unnest(array['src', 'dst']) as reporter
    returning group_id),
  fact as (
    insert into flow_fact (group_id, port)
    select group_id, port from grouped, unnest(array[443, 8080]) as port returning fact_id)
  insert into flow_fact_day
  select fact_id, day::date, 0, day, day + interval '23 hours', 50, 16777215
  from fact, generate_series(timestamptz '2026-11-01', timestamptz '${until}' - interval '1 day', interval '1 day') as day`;

/** Measures the derivation of an allowlist for all namespaces, from the database to the files. */
export async function allowlistSection(lab: Lab, print: (line: string) => void): Promise<Row[]> {
  const { url } = await lab.database();
  const database = openDatabase({ url }, { timeouts: { connectMs: 10_000, statementMs: 300_000 } });
  try {
    print(`allowlist: creating ${edges * 4} facts of ${days} days`);
    await database.query(evidence);
    await database.query(
      `insert into coverage values (timestamptz '2026-11-01', timestamptz '${until}', 'final', null)`,
    );
    await database.query('analyze');
    const rows: Row[] = [];
    for (const format of formats) rows.push(await derive(database.query, format));
    return rows;
  } finally {
    await database.close();
  }
}

const settings = {
  identityLabel: 'service-identity',
  clusterName: '',
  thresholds: { minimumDays: 7, stableDays: 3, staleDays: 14 },
  dnsAddresses: [],
};

async function derive(
  query: ReturnType<typeof openDatabase>['query'],
  format: AllowlistFormat,
): Promise<Row> {
  const parsed = parseAllowlistInput({ format });
  if ('problems' in parsed) throw new Error(parsed.problems.join('; '));
  const began = performance.now();
  const { summary } = await makeAllowlist(query, { ...parsed.input, until }, settings);
  return {
    section: 'allowlist',
    what: `${namespaces.toLocaleString('en-US')} namespaces, ${edges.toLocaleString('en-US')} edges, as ${format}`,
    value: (performance.now() - began) / 1000,
    unit: 's',
    limit: { atMost: 30 },
    note: `${summary.files} files, ${summary.rules} rules`,
  };
}
