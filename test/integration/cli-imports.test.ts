import { execFile } from 'node:child_process';
import { cp, mkdir, readdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, test } from 'vitest';
import { folderPerFile } from '../support/folder.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const installed = folderPerFile();

/** Installs the built command with all its packages except Temporal's. */
beforeAll(async () => {
  const modules = join(installed, 'node_modules');
  await mkdir(modules);
  for (const name of await readdir(join(root, 'node_modules')))
    if (name !== '@temporalio' && !name.startsWith('.'))
      await symlink(join(root, 'node_modules', name), join(modules, name));
  await cp(join(root, 'dist'), join(installed, 'dist'), { recursive: true });
  await cp(join(root, 'package.json'), join(installed, 'package.json'));
});

function flowTrail(...args: string[]): Promise<{ code: unknown; err: string }> {
  const env = { PATH: process.env['PATH'], DATABASE_URL: 'postgres://nobody@127.0.0.1:1/nothing' };
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [join(installed, 'dist/cli/main.js'), ...args],
      { env },
      (error, _out, err) => {
        resolve({ code: error?.code ?? 0, err });
      },
    );
  });
}

test('commands that only read the database do not load the Temporal SDK', async () => {
  expect(await flowTrail('--help')).toEqual({ code: 0, err: '' });
  for (const command of [
    ['edges'],
    ['coverage'],
    ['completeness'],
    ['allowlist', 'derive'],
    ['explain', 'a', 'b'],
  ]) {
    const { code, err } = await flowTrail(...command);
    expect(err).toContain('ECONNREFUSED');
    expect(code).toBe(1);
  }
});

test('commands that query Temporal load its SDK', async () => {
  expect((await flowTrail('status')).err).toMatch(/Cannot find package '@temporalio/);
});
