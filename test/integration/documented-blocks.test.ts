import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { mergeCapture } from '../support/captured-trail.ts';
import { flowTrailInProcess } from '../support/cli-in-process.ts';
import { createMigratedDatabase, type TestDatabase } from '../support/database.ts';
import { blocksOf, readDocuments, shellBlocksOf } from '../support/shell-blocks.ts';

const documents = readDocuments();
/** The command runs a job, which needs a worker: test/integration/digest-cli.test.ts. */
const needsWorker = /^(npx )?flow-trail digest$/;
const blocks = documents
  .flatMap(shellBlocksOf)
  .filter(({ isExample }) => !isExample)
  .map(({ place, commands }): [string, string[]] => [
    place,
    commands.filter((line) => !needsWorker.test(line)),
  ])
  .map(([place, commands]): [string, string[]] => [
    place,
    commands.filter((line) => /^(npx )?flow-trail |^echo /.test(line)),
  ])
  .filter(([, commands]) => commands.length > 0);
const queries = documents
  .flatMap(({ path, text }) => blocksOf(path, text, 'sql'))
  .map(({ place, body }): [string, string] => [place, body]);

/** 0, or 3 where the answer needs attention, as of a policy that would have denied something. */
const answered = [0, 3];

let db: TestDatabase;
let folder: string;
const before = process.cwd();

beforeAll(async () => {
  db = await createMigratedDatabase();
  await mergeCapture(db.database);
  await db.database.query(`insert into digest values ('digest/1', now(), '{}', now(), 'posted', now())`);
  folder = await mkdtemp(join(tmpdir(), 'documented-'));
});
beforeEach(() => {
  // Files are written where a reader would have them.
  process.chdir(folder);
  // The day after the capture: the period of a question ends now.
  vi.useFakeTimers({ toFake: ['Date'], now: new Date('2026-11-23T12:00:00Z') });
});
afterEach(() => {
  vi.useRealTimers();
  process.chdir(before);
});
afterAll(async () => {
  await db.drop();
  await rm(folder, { recursive: true, force: true });
});

const words = (line: string) =>
  (line.match(/"[^"]*"|'[^']*'|\S+/g) ?? []).map((word) => word.replaceAll(/^["']|["']$/g, ''));

test.each(blocks)('the block at %s runs', async (_place, commands) => {
  for (const line of commands) {
    if (line.startsWith('echo ')) await promisify(execFile)('sh', ['-c', line], { cwd: folder });
    else {
      // What it prints of another cluster is not compared.
      const [command = ''] = line.split(' | ');
      const [, ...args] = words(command.replace(/^npx /, ''));
      const { code, err } = await flowTrailInProcess(args, { DATABASE_URL: db.url, TIME_ZONE: 'UTC' });
      expect(answered, `${line}\n${err}`).toContain(code);
    }
  }
});

test('the key of the guide to encryption is one', async () => {
  expect(await readFile(join(folder, 'codec-keys'), 'utf8')).toMatch(/^[\w-]+:[A-Za-z0-9+/]{43}=\n$/);
});

test.each(queries)('the SQL at %s runs, and finds something', async (_place, sql) => {
  const rows = await db.database.query(sql.replaceAll('now()', '(select max(last_seen) from edge)'));
  expect(rows.length).toBeGreaterThan(0);
});
