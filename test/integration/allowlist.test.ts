import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { deriveAllowlist } from '../../src/activities/allowlist.ts';
import { parseAllowlistInput } from '../../src/policy/derive/input.ts';
import { systemClock } from '../../src/time/clock.ts';
import { listAllowlists, readAllowlistFiles } from '../../src/trail/jobs/allowlist-store.ts';
import { mergeCapture } from '../support/captured-trail.ts';
import { flowTrail } from '../support/cli.ts';
import { databasePerTest } from '../support/database.ts';
import { testDeps } from './deps.ts';
import { folderOfTest } from '../support/folder.ts';

const until = '2026-11-23T00:00:00.000Z';
const db = databasePerTest();

beforeEach(() => mergeCapture(db.database));

function inputOf(value: unknown) {
  const parsed = parseAllowlistInput(value);
  if ('problems' in parsed) throw new Error(parsed.problems.join());
  return { ...parsed.input, until };
}

test('deriving twice stores one allowlist, which can be shown', async () => {
  const deps = testDeps(db.database, { ...systemClock, now: () => Date.parse(until) });
  const input = inputOf({ namespaces: ['immich', 'nowhere'] });
  const summary = await deriveAllowlist(deps, input, until);
  expect(summary).toMatchObject({
    files: 1,
    policies: 1,
    verdicts: { learning: 1, complete: 0 },
    withoutCount: 1,
  });
  expect(await deriveAllowlist(deps, input, until)).toEqual(summary);
  expect(await listAllowlists(db.database.query, 10)).toHaveLength(1);
  const files = await readAllowlistFiles(db.database.query, summary.allowlistId);
  expect(files?.map(({ path }) => path)).toEqual(['immich.yaml']);
  const shown = await flowTrail(['allowlist', 'show', summary.allowlistId], { DATABASE_URL: db.url });
  expect(shown).toEqual({ code: 0, out: files?.[0]?.content, err: '' });
});

test('the command line derives the same allowlist, explains a pair, and rejects wrong input', async () => {
  const env = { DATABASE_URL: db.url };
  const derived = await flowTrail(['allowlist', 'derive', 'immich', '--until', until], env);
  expect(derived.code).toBe(0);
  expect(derived.out).toMatch(/^# LEARNING .*[^]*namespace: immich/);
  const explained = await flowTrail(
    ['explain', 'excalidraw', 'dbaas/postgresql', '--since', '2026-11-01'],
    env,
  );
  expect(explained.out).toMatch(
    /end of tier default, reached because NetworkPolicy excalidraw\/default-deny, tier default selects it/,
  );
  const external = await flowTrail(['explain', 'excalidraw', 'pub', '--since', '2026-11-01', '--json'], env);
  expect(JSON.parse(external.out)).toMatchObject([{ src: 'excalidraw', dst: 'pub', port: 'tcp 443' }]);
  const misspelt = await flowTrail(['explain', 'excalidrow', 'dbaas', '--since', '2026-11-01'], env);
  expect(misspelt.err).toMatch(/excalidrow has never been seen.*excalidraw/);
  expect(misspelt.err).not.toMatch(/dbaas/);
  const wrong = await flowTrail(['allowlist', 'derive', 'Immich', '--minimum-days', '3'], env);
  expect(wrong.code).toBe(2);
  expect(wrong.err).toMatch(/"Immich" [^]*--minimum-days /);
  const missing = await flowTrail(['allowlist', 'show', 'nothing'], env);
  expect([missing.code, missing.err]).toEqual([2, expect.stringMatching(/[Aa]llowlist nothing/)]);
});

test('staged exits with 3 and a reason if there is no evidence that enforcing is safe', async () => {
  const env = { DATABASE_URL: db.url };
  const ask = (...args: string[]) => flowTrail(['staged', '--since', '2026-11-01', '--json', ...args], env);
  const nowhere = await ask('--src', 'nowhere');
  expect([nowhere.code, JSON.parse(nowhere.out)]).toMatchObject([
    3,
    { isEvidence: false, neverSeen: ['nowhere'], decided: 0 },
  ]);
  const unstaged = await ask('--src', 'traefik');
  expect([unstaged.code, JSON.parse(unstaged.out)]).toMatchObject([
    3,
    {
      neverSeen: [],
      decided: 0,
      decidedByOthers: expect.arrayContaining([expect.objectContaining({ isProfile: true })]),
    },
  ]);
  const all = await ask();
  expect(all.code).toBe(3);
  expect(JSON.parse(all.out)).toMatchObject({ disagreements: expect.arrayContaining([expect.anything()]) });
});

describe('replay and drift on the command line', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await folderOfTest();
  });

  const since = ['--since', '2026-11-01', '--json'];
  const ask = (...args: string[]) => flowTrail([...args, ...since], { DATABASE_URL: db.url });
  const kubernetes = (spec: object, metadata: object) =>
    JSON.stringify({ apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata, spec });

  test('a default-deny policy would deny observed traffic', async () => {
    const file = join(folder, 'deny.json');
    await writeFile(file, kubernetes({ podSelector: {}, policyTypes: ['Egress'] }, { name: 'deny' }));
    const without = await ask('replay', file);
    expect([without.code, without.err]).toEqual([2, expect.stringContaining('metadata.namespace')]);
    const denied = await ask('replay', file, '--namespace', 'immich');
    expect(denied.code).toBe(3);
    expect(JSON.parse(denied.out)).toMatchObject({ wouldDeny: expect.arrayContaining([expect.anything()]) });
    expect((await ask('drift', file, '--namespace', 'immich')).code).toBe(3);
  });

  test('notes about the policies are not printed before the error of a wrong period', async () => {
    const file = join(folder, 'ranges.json');
    const spec = {
      podSelector: {},
      policyTypes: ['Egress'],
      egress: [{ to: [{ ipBlock: { cidr: '10.0.0.0/8' } }] }],
    };
    await writeFile(file, kubernetes(spec, { name: 'ranges', namespace: 'immich' }));
    expect((await ask('replay', file)).err).toMatch(/IPv4/);
    for (const command of ['replay', 'drift']) {
      const { code, err } = await ask(command, file, '--until', '2026-10-05');
      expect([command, code, err]).toEqual([command, 2, expect.not.stringMatching(/IPv4/)]);
    }
  });

  test('policies that select no observed endpoint exit with 3', async () => {
    const file = join(folder, 'typo.json');
    await writeFile(
      file,
      kubernetes({ podSelector: {}, policyTypes: ['Egress'] }, { name: 'deny', namespace: 'imich' }),
    );
    for (const command of ['replay', 'drift']) {
      const { code, out } = await ask(command, file);
      expect([command, code, JSON.parse(out)]).toMatchObject([
        command,
        3,
        { selected: 0, withoutFacts: [expect.stringContaining('imich/deny')] },
      ]);
    }
    const before = await ask('replay', file, '--until', '2026-11-05');
    expect([before.code, JSON.parse(before.out)]).toMatchObject([
      3,
      { facts: 0, observed: { from: null, coveredDays: 0 } },
    ]);
    expect((await ask('replay', file, '--until', '2026-10-05')).code).toBe(2);
  });

  test('an undecided verdict exits with 3 only with --strict', async () => {
    const file = join(folder, 'unknown.json');
    const spec = { podSelector: { matchLabels: { app: 'web' } }, policyTypes: ['Egress'] };
    await writeFile(file, kubernetes(spec, { name: 'unknown', namespace: 'immich' }));
    const lenient = await ask('replay', file);
    expect(lenient.code).toBe(0);
    expect(JSON.parse(lenient.out)).toMatchObject({
      wouldDeny: [],
      undecided: expect.arrayContaining([expect.anything()]),
    });
    expect((await ask('replay', file, '--strict')).code).toBe(3);
    expect((await ask('drift', file, '--strict')).code).toBe(3);
  });

  test('a folder is read through symbolic links, including a loop, and ignored kinds are listed', async () => {
    const target = join(folder, '..data');
    await mkdir(target);
    await writeFile(
      join(target, 'list.yaml'),
      JSON.stringify({
        apiVersion: 'v1',
        kind: 'List',
        items: [
          JSON.parse(
            kubernetes({ podSelector: {}, policyTypes: ['Egress'] }, { name: 'a', namespace: 'immich' }),
          ),
          { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'x' } },
        ] as unknown[],
      }),
    );
    const links = join(folder, 'links');
    await mkdir(links);
    await symlink(join(target, 'list.yaml'), join(links, 'list.yaml'));
    await symlink(folder, join(links, 'loop'));
    const { code, err } = await ask('replay', links);
    expect(code).toBe(3);
    expect(err).toContain('Deployment');
  });
});
