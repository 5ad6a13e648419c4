import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { z } from 'zod';
import { expectedTrail } from '../../../dev/simulation/expected-trail.ts';
import { flowsOf } from '../../../dev/simulation/flows.ts';
import { NODE_COUNT } from '../../../dev/simulation/workloads.ts';
import { parseAnswer } from '../../support/answer.ts';
import { flowTrail } from '../../support/cli.ts';
import { until } from '../../support/poll.ts';
import { NpmStart } from './npm-start.ts';

const SEED = 5;

let stateDir = '';
let started: NpmStart | undefined;
/** A PATH on which npm start finds the dev server of the other tests. */
let path = '';

beforeAll(async () => {
  stateDir = await mkdtemp(join(tmpdir(), 'npm-start-'));
  // If the tests run as root, PostgreSQL's user must be able to enter the folder.
  await chmod(stateDir, 0o711);
  const bin = join(stateDir, 'bin');
  await mkdir(bin);
  await writeFile(join(bin, 'temporal'), `#!/bin/sh\nexec '${inject('temporalExecutable')}' "$@"\n`, {
    mode: 0o755,
  });
  path = `${bin}:${process.env['PATH']}`;
});
afterAll(async () => {
  started?.kill('SIGKILL');
  await started?.untilAllExited(20_000);
  await rm(stateDir, { recursive: true, force: true });
});

function npmStart(env: NodeJS.ProcessEnv = {}): NpmStart {
  started = new NpmStart(stateDir, { PATH: path, FLOW_TRAIL_SEED: String(SEED), ...env });
  return started;
}

const bucketRow = z.object({ start: z.number() });
const factRow = z.object({
  srcNs: z.string(),
  dstNs: z.string(),
  action: z.string(),
  firstSeenSeconds: z.number(),
  lastSeenSeconds: z.number(),
  flowCount: z.number(),
});

/** The settled buckets and the sums of their facts, read in one transaction. */
async function readSettled() {
  const url = (await readFile(join(stateDir, 'database-url'), 'utf8')).trim();
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query('begin isolation level repeatable read');
    const buckets = await client.query(
      'select extract(epoch from bucket)::int as start from bucket_ledger where settled_at is not null',
    );
    const facts = await client.query(
      `select src_ns as "srcNs", dst_ns as "dstNs", action, sum(flow_count)::int as "flowCount",
         extract(epoch from min(first_seen))::int as "firstSeenSeconds",
         extract(epoch from max(last_seen))::int as "lastSeenSeconds"
       from flow_facts
       where src_kind = 'workload' and dst_kind = 'workload' and src_ns <> dst_ns
       group by src_ns, dst_ns, action
       order by src_ns collate "C", dst_ns collate "C", action collate "C"`,
    );
    await client.query('rollback');
    return {
      buckets: z
        .array(bucketRow)
        .parse(buckets.rows)
        .map(({ start }) => start),
      facts: z.array(factRow).parse(facts.rows),
    };
  } finally {
    await client.end();
  }
}

describe('npm start', () => {
  test('prints the first edges, then that the last hour is settled', async () => {
    const run = npmStart();
    await run.untilPrinted(/first [\d,]+ edges .*\d+ s after/);
    await run.untilPrinted(/the last hour is settled .*\d+ s after/);
  });

  test('settles exactly what the simulated nodes sent', async () => {
    const { buckets, facts } = await readSettled();
    expect(buckets.length).toBeGreaterThanOrEqual(208);
    const nodes = Array.from({ length: NODE_COUNT }, (_, node) => node);
    const flows = buckets.flatMap((bucket) => nodes.flatMap((node) => flowsOf(SEED, bucket, node)));
    expect(facts).toEqual(expectedTrail(flows));
  });

  test('prints addresses that answer, and stores secrets readable only by their owner', async () => {
    const run = started;
    for (const what of ['map', 'Slack stand-in', 'Temporal UI', 'health, metrics']) {
      const [, url] = (await run?.untilPrinted(new RegExp(`^ +${what} +(http://\\S+)`))) ?? [];
      const answer = await fetch(url ?? '');
      expect(answer.status).toBe(200);
    }
    for (const name of ['database-url', 'env', 'tls/tls.key', 'postgres/home/password']) {
      expect((await stat(join(stateDir, name))).mode & 0o077).toBe(0);
    }
    const password = (await readFile(join(stateDir, 'postgres', 'home', 'password'), 'utf8')).trim();
    expect(run?.lines.join('\n')).not.toContain(password);
  });

  test.each([
    ['status', ['status']],
    ['health', ['health']],
    ['runs', ['runs']],
    ['certificates', ['certificates']],
    ['explain', ['explain', 'traefik', 'immich']],
  ] as const)('answers %s as JSON in its schema, from the local stack', async (name, args) => {
    const { out, err } = await flowTrail([...args, '--json'], { FLOW_TRAIL_STATE_DIR: stateDir });
    expect(err).toContain('using the local stack');
    parseAnswer(name, out);
  });

  test('does not start twice on the same data', async () => {
    const first = started;
    const second = npmStart();
    await second.untilPrinted(/already running here \(process \d+\)/);
    expect(await second.exitCode()).toBe(1);
    started = first;
  });

  test('leaves no process after kill -9, and starts again with its data', async () => {
    started?.kill('SIGKILL');
    await started?.untilAllExited(20_000);
    const run = npmStart();
    await run.untilPrinted(/(\d+) edges from earlier starts/);
    // Merging continues: the newest merge becomes younger than this start.
    await run.untilPrinted(/last merge \d+ s ago/);
  });

  test('shuts down cleanly on Ctrl-C and leaves no process', async () => {
    started?.kill('SIGINT');
    expect(await started?.exitCode()).toBe(0);
    await started?.untilAllExited(1_000);
    expect(started?.lines.at(-1)).toContain('All parts stopped');
  });

  test('ends immediately on the second Ctrl-C and leaves no process', async () => {
    const run = npmStart();
    await run.untilPrinted(/Temporal UI/);
    run.kill('SIGINT');
    await run.untilPrinted(/stopping all parts/);
    // A second signal counts only after an interval that excludes the same keystroke.
    const ended = run.exitCode();
    await until('npm start has exited', () => {
      run.kill('SIGINT');
      return Promise.race([
        ended.then(() => true),
        new Promise<undefined>((resolve) => setTimeout(resolve, 200, undefined)),
      ]);
    });
    await run.untilAllExited(6_000);
  });
});

describe('a start that fails', () => {
  test('prints the cause and the cure, and leaves no process', async () => {
    const broken = await mkdtemp(join(tmpdir(), 'broken-temporal-'));
    const program = join(broken, 'temporal');
    await writeFile(
      program,
      '#!/bin/sh\n[ "$1" = --version ] && echo "temporal version 0" && exit 0\necho "unable to start: disk is full" >&2\nexit 1\n',
    );
    await chmod(program, 0o755);
    try {
      const run = npmStart({ PATH: `${broken}:${process.env['PATH']}` });
      expect(await run.exitCode()).toBe(1);
      await run.untilAllExited(1_000);
      const output = run.lines.join('\n');
      expect(output).toContain('unable to start: disk is full');
      expect(output).toContain('free up some space');
    } finally {
      await rm(broken, { recursive: true, force: true });
    }
  });

  test('names the setting when a certificate for an external Goldmane is missing', async () => {
    const run = npmStart({ GOLDMANE_HOST: '127.0.0.1:1', TLS_CERT_PATH: '/nowhere/tls.crt' });
    expect(await run.exitCode()).toBe(1);
    expect(run.lines.join('\n')).toMatch(/\/nowhere\/tls\.crt cannot be read[\s\S]*Set TLS_CERT_PATH/);
  });

  test('shuts down cleanly on Ctrl-C during the start', async () => {
    const run = npmStart();
    await run.untilPrinted(/Goldmane: filling/);
    run.kill('SIGINT');
    expect(await run.exitCode()).toBe(0);
    await run.untilAllExited(1_000);
  });
});
