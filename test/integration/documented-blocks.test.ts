import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { mergeCapture } from '../support/captured-trail.ts';
import { flowTrailInProcess } from '../support/cli-in-process.ts';
import { databasePerFile } from '../support/database.ts';
import { blocksOf, readDocuments, shellBlocksOf } from '../support/shell-blocks.ts';
import { folderPerFile } from '../support/folder.ts';

const documents = readDocuments();
/** Runs a job, which needs a worker; tested in test/integration/digest-cli.test.ts. */
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
/** The commands in the README's sentences and tables. `health` and `mcp` need more than a database. */
const questions = documents
  .filter(({ path }) => path === 'README.md')
  .flatMap(({ text }) => [...text.matchAll(/`npx (flow-trail (?!--help|health|mcp)[^`]+)`/g)])
  .map(([, line = '']) => line);
const queries = documents
  .flatMap(({ path, text }) => blocksOf(path, text, 'sql'))
  .map(({ place, body }): [string, string] => [place, body]);

/** Exit codes of successful commands: 3 means a finding, such as a policy that would have denied traffic. */
const answered = [0, 3];

const db = databasePerFile();
const folder = folderPerFile();
const before = process.cwd();

beforeAll(async () => {
  await mergeCapture(db.database);
  await db.database.query(`insert into digest values ('digest/1', now(), '{}', now(), 'posted', now())`);
});
beforeEach(() => {
  // The files that the blocks read.
  process.chdir(folder);
  // The day after the capture, because the default period of a query ends now.
  vi.useFakeTimers({ toFake: ['Date'], now: new Date('2026-11-23T12:00:00Z') });
});
afterEach(() => {
  vi.useRealTimers();
  process.chdir(before);
});

const words = (line: string) =>
  (line.match(/"[^"]*"|'[^']*'|\S+/g) ?? []).map((word) => word.replaceAll(/^["']|["']$/g, ''));

test.each(blocks)('the block at %s runs', async (_place, commands) => {
  for (const line of commands) {
    if (line.startsWith('echo ')) await promisify(execFile)('sh', ['-c', line], { cwd: folder });
    else await run(line);
  }
});

test.each(questions)('the README’s question “%s” is answered', run);

/** Runs a command up to its first pipe. The output is from another cluster than the documented one, so it is not compared. */
async function run(line: string): Promise<void> {
  const [command = ''] = line.split(' | ');
  const [, ...args] = words(command.replace(/^npx /, ''));
  const { code, err } = await flowTrailInProcess(args, { DATABASE_URL: db.url, TIME_ZONE: 'UTC' });
  expect(answered, `${line}\n${err}`).toContain(code);
}

test('the command in the encryption guide prints a valid key', async () => {
  expect(await readFile(join(folder, 'codec-keys'), 'utf8')).toMatch(/^[\w-]+:[A-Za-z0-9+/]{43}=\n$/);
});

test.each(queries)('the SQL at %s returns rows', async (_place, sql) => {
  const rows = await db.database.query(sql.replaceAll('now()', '(select max(last_seen) from edge)'));
  expect(rows.length).toBeGreaterThan(0);
});
