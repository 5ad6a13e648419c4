import { afterAll, beforeAll, expect, test } from 'vitest';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { deriveAllowlist } from '../../src/activities/allowlist.ts';
import { parseAllowlistInput } from '../../src/policy/derive/input.ts';
import { createProgram } from '../../src/cli/program.ts';
import type { OutputName } from '../../src/cli/schemas/index.ts';
import { systemClock } from '../../src/time/clock.ts';
import { parseAnswer } from '../support/answer.ts';
import { mergeCapture } from '../support/captured-trail.ts';
import { flowTrailInProcess } from '../support/cli-in-process.ts';
import { createMigratedDatabase, type TestDatabase } from '../support/database.ts';
import { testDeps } from './deps.ts';
import { folderPerFile } from '../support/folder.ts';

let empty: TestDatabase;
let full: TestDatabase;
const folder = folderPerFile();
let allowlistId: string;

const until = '2026-11-23T00:00:00.000Z';
const period = ['--since', '2026-11-01', '--until', '2026-11-23'];

beforeAll(async () => {
  [empty, full] = [await createMigratedDatabase(), await createMigratedDatabase()];
  await mergeCapture(full.database);
  const { query } = full.database;
  // Content for every command: an inconsistency, a digest, an allowlist, a policy that would deny allowed traffic.
  await query(`update edge set flow_count = flow_count + 1 where src_ns = 'immich'`);
  await query(`insert into digest values ('digest/1', now(), '{}', now(), 'posted', now())`);
  await query(
    `insert into announced_edge select src_ns, dst_ns, action, 'digest/1', now() from edge where src_ns = 'immich'`,
  );
  const parsed = parseAllowlistInput({ namespaces: ['immich', 'nowhere'] });
  if ('problems' in parsed) throw new Error(parsed.problems.join());
  const clock = { ...systemClock, now: () => Date.parse(until) };
  const derived = await deriveAllowlist(testDeps(full.database, clock), { ...parsed.input, until }, until);
  allowlistId = derived.allowlistId;
  await writeFile(
    join(folder, 'deny.yaml'),
    `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: deny, namespace: immich }
spec: { podSelector: {}, policyTypes: [Egress], egress: [] }
`,
  );
});
afterAll(async () => {
  await empty.drop();
  await full.drop();
});

type Case = { name: OutputName; args: string[]; ofEmpty?: 0 | 2 | 3; ofFull?: 0 | 3 };

/** Exit codes are 0 unless stated. Commands that query Temporal or Goldmane are tested with `npm start`. */
const cases: readonly Case[] = [
  { name: 'edges', args: ['edges'] },
  { name: 'facts', args: ['edges', '--port'] },
  { name: 'facts', args: ['externals'] },
  { name: 'peers', args: ['edges', '--peers-of', 'immich'] },
  { name: 'matrix', args: ['matrix'] },
  { name: 'explain', args: ['explain', 'immich', 'dbaas', ...period] },
  { name: 'at', args: ['at', '--ns', 'immich', '--from', '2026-11-22', '--to', '2026-11-23'] },
  { name: 'diff', args: ['diff', '--from', '2026-11-20', '--to', '2026-11-23'] },
  { name: 'coverage', args: ['coverage', '--since', '2026-11-01'] },
  { name: 'completeness', args: ['completeness'] },
  { name: 'allowlist-derive', args: ['allowlist', 'derive', '--since', '2026-11-01'] },
  { name: 'allowlist-list', args: ['allowlist', 'list'] },
  { name: 'allowlist-show', args: ['allowlist', 'show', 'ALLOWLIST'], ofEmpty: 2 },
  { name: 'replay', args: ['replay', 'POLICY', ...period], ofFull: 3, ofEmpty: 3 },
  { name: 'drift', args: ['drift', 'POLICY', ...period], ofFull: 3, ofEmpty: 3 },
  { name: 'staged', args: ['staged', ...period], ofFull: 3, ofEmpty: 3 },
  { name: 'edges', args: ['digest', 'show'], ofEmpty: 2 },
  { name: 'digest-preview', args: ['digest', '--dry-run'] },
  { name: 'verify', args: ['verify'], ofFull: 3 },
  { name: 'adopt', args: ['adopt'] },
  { name: 'forget', args: ['forget', '--src', 'immich', '--dst', 'dbaas', '--before', '2026-11-25'] },
];

const elsewhere = ['status', 'health', 'runs', 'certificates', 'retire'];

async function ask(db: TestDatabase, args: readonly string[]) {
  const resolvedArgs = args.map((arg) =>
    arg === 'POLICY' ? join(folder, 'deny.yaml') : arg === 'ALLOWLIST' ? allowlistId : arg,
  );
  return flowTrailInProcess([...resolvedArgs, '--json'], {
    DATABASE_URL: db.url,
    TIME_ZONE: 'Australia/Sydney',
  });
}

test.each(cases)('$args: with results, the JSON matches its schema', async ({ name, args, ofFull = 0 }) => {
  const { code, out, err } = await ask(full, args);
  expect(code, err).toBe(ofFull);
  const answer = parseAnswer(name, out);
  expect(Array.isArray(answer) ? answer.length : 1).toBeGreaterThan(0);
});

test.each(cases)(
  '$args: with an empty trail, the JSON matches its schema',
  async ({ name, args, ofEmpty = 0 }) => {
    const { code, out, err } = await ask(empty, args);
    expect(code, err).toBe(ofEmpty);
    if (code !== 2) parseAnswer(name, out);
  },
);

test.each([
  ['edges', '--ns', 'imich'],
  ['edges', '--peers-of', 'imich'],
  ['matrix', '--ns', 'imich'],
  ['explain', 'imich', 'dbaas'],
  ['at', '--ns', 'imich', '--from', '1h'],
  ['externals', '--ns', 'imich'],
  ['completeness', '--ns', 'imich'],
  ['allowlist', 'derive', 'imich'],
  ['staged', '--src', 'imich'],
  ['staged', '--dst', 'imich'],
  ['export', '--ns', 'imich'],
  ['forget', '--src', 'imich', '--dst', 'dbaas', '--before', '1d'],
])('%s %s %s: a namespace that was never seen is named, with a similar one', async (...args) => {
  const { code, err } = await flowTrailInProcess(args, { DATABASE_URL: full.url });
  expect(code).toBe(args[0] === 'staged' ? 3 : 0);
  expect(err).toMatch(/imich.*\bimmich\b/);
});

test.each([
  [['explain', 'immich', 'dbaas', '--since', '2026-11-22', '--until', '2026-11-01'], '--until'],
  [['explain', 'immich', 'dbaas', '--since', '2999-01-01'], '--since'],
  [['staged', '--since', '2026-11-22', '--until', '2026-11-01'], '--until'],
  [['replay', 'POLICY', '--since', '2026-11-22', '--until', '2026-11-01'], '--until'],
  [['drift', 'POLICY', '--since', '2999-01-01'], '--since'],
  [['allowlist', 'derive', '--since', '2026-11-22', '--until', '2026-11-01'], '--until'],
  [['coverage', '--since', '2999-01-01'], '--since'],
  [['diff', '--from', '2999-01-01'], '--from'],
  [['at', '--ns', 'immich', '--from', '1h', '--to', '2h'], '--to'],
  [['at', '--ns', 'immich', '--from', '1h', '--silent-days', '0'], '--silent-days'],
])('%j: a period without time is a usage error that names the option', async (args, option) => {
  const { code, out, err } = await ask(full, args);
  expect([code, out]).toEqual([2, '']);
  expect(err).toContain(option);
});

test('export --format json matches the schema of edges', async () => {
  const { out } = await flowTrailInProcess(['export', '--format', 'json'], { DATABASE_URL: full.url });
  parseAnswer('edges', out);
});

test('every command with --json is tested here or with npm start', async () => {
  const program = await createProgram(() => true);
  const tried = new Set([...cases.map(({ args }) => args.join(' ')), ...elsewhere]);
  const withJson = program.commands.flatMap((command) =>
    [command, ...command.commands]
      .filter(({ options }) => options.some(({ long }) => long === '--json'))
      .map((each) => (each === command ? command.name() : `${command.name()} ${each.name()}`)),
  );
  expect(withJson.filter((name) => ![...tried].some((line) => `${line} `.startsWith(`${name} `)))).toEqual(
    [],
  );
});
