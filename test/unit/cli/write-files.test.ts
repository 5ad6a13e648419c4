import { mkdir, readFile, readdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { writeFilesInto } from '../../../src/cli/output/write-files.ts';
import { writeOutput } from '../../../src/cli/output/write-output.ts';
import { folderOfTest } from '../../support/folder.ts';

let scratch: string;
let out: string;

beforeEach(async () => {
  scratch = await folderOfTest();
  out = join(scratch, 'out');
});

const content = 'new';
const refused = expect.objectContaining({ system: 'command', kind: 'outside_folder' });

test('files are written below the folder, including subfolders', async () => {
  await writeFilesInto(out, [
    { path: 'a.yaml', content },
    { path: 'queries/b.csv', content },
    { path: '..c.txt', content },
  ]);
  expect(await readFile(join(out, 'queries/b.csv'), 'utf8')).toBe(content);
  expect((await readdir(out)).toSorted()).toEqual(['..c.txt', 'a.yaml', 'queries']);
});

const unusable = expect.objectContaining({ system: 'command', kind: 'usage' });

test.skipIf(process.platform !== 'linux')(
  'a file system that refuses new folders ends in an error, not in an endless loop',
  async () => {
    await expect(writeFilesInto('/proc/flow-trail/out', [{ path: 'a.yaml', content }])).rejects.toEqual(
      unusable,
    );
  },
);

test('a file in place of a folder is named', async () => {
  await writeFilesInto(out, [{ path: 'queries', content }]);
  await expect(writeFilesInto(out, [{ path: 'queries/b.csv', content }])).rejects.toEqual(unusable);
  await expect(writeFilesInto(join(out, 'queries'), [{ path: 'b', content }])).rejects.toEqual(unusable);
});

test.each(['../x', 'a/../../x', '/etc/x', '..', '', 'queries/../../x'])(
  'nothing is written if the path %j leaves the folder',
  async (path) => {
    await expect(
      writeFilesInto(out, [
        { path: 'first', content },
        { path, content },
      ]),
    ).rejects.toEqual(refused);
    expect(await readdir(out)).toEqual([]);
  },
);

test('a symbolic link in the folder is not followed', async () => {
  await mkdir(out);
  await writeFile(join(scratch, 'secret'), 'old');
  await symlink(join(scratch, 'secret'), join(out, 'file'));
  await symlink(scratch, join(out, 'folder'));
  await expect(writeFilesInto(out, [{ path: 'file', content }])).rejects.toEqual(refused);
  await expect(writeFilesInto(out, [{ path: 'folder/secret', content }])).rejects.toEqual(refused);
  expect(await readFile(join(scratch, 'secret'), 'utf8')).toBe('old');
});

test('a file instead of the folder is a usage error', async () => {
  await writeFile(out, '');
  await expect(writeFilesInto(out, [{ path: 'a', content }])).rejects.toEqual(
    expect.objectContaining({ system: 'command', kind: 'usage' }),
  );
});

test('a full disk is a usage failure that names the file', async () => {
  // Every write to /dev/full fails as on a full disk.
  const failure = (option: string) => ({
    kind: 'usage',
    what: `${option} /dev/full cannot be written (ENOSPC)`,
  });
  await expect(writeFilesInto('/dev', [{ path: 'full', content }])).rejects.toMatchObject(failure('--out'));
  await expect(writeOutput('/dev/full', content)).rejects.toMatchObject(failure('--output'));
});
