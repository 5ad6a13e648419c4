import { chmod, mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { isStartFailure } from '../../../dev/start-failure.ts';
import { findTemporal, TEMPORAL_CLI_VERSION, type FindOptions } from '../../../dev/temporal/find.ts';
import { folderOfTest } from '../../support/folder.ts';

let directory = '';
let lines: string[] = [];

beforeEach(async () => {
  directory = await folderOfTest();
  lines = [];
});

async function program(path: string, says: string): Promise<string> {
  await mkdir(join(path, '..'), { recursive: true });
  await writeFile(path, `#!/bin/sh\necho '${says}'\n`);
  await chmod(path, 0o755);
  return path;
}

const works = 'temporal version 1.9.1 (Server 1.32.0, UI 2.54.1)';
const cached = (): string =>
  join(directory, 'cache', `temporal-${TEMPORAL_CLI_VERSION}-${process.platform}-${process.arch}`);

function find(options: Partial<FindOptions> = {}): Promise<string> {
  return findTemporal({
    log: (line) => lines.push(line),
    signal: new AbortController().signal,
    cacheDir: join(directory, 'cache'),
    env: { PATH: `${join(directory, 'bin')}:/usr/bin:/bin` },
    ways: [],
    ...options,
  });
}

describe('the Temporal dev server is found', () => {
  test('on the PATH first', async () => {
    const onPath = await program(join(directory, 'bin', 'temporal'), works);
    await program(cached(), works);
    expect(await find()).toBe(onPath);
  });

  test('in the cache if the PATH has none, or another program of that name', async () => {
    await program(join(directory, 'bin', 'temporal'), 'a calendar');
    await program(cached(), works);
    expect(await find()).toBe(cached());
  });

  test('by the first source that works, and is then cached', async () => {
    const tried: string[] = [];
    const ways: FindOptions['ways'] = [
      () => {
        tried.push('download');
        return Promise.reject(new Error('no internet'));
      },
      async ({ directory: target }) => {
        tried.push('build');
        await program(join(target, 'temporal'), works);
      },
    ];
    expect(await find({ ways })).toBe(cached());
    expect(await find({ ways })).toBe(cached());
    expect(tried).toEqual(['download', 'build']);
    expect(lines).toContain('Temporal: no internet');
    expect(await readdir(join(directory, 'cache'))).toHaveLength(1);
  });

  test('again if the cached file does not run', async () => {
    await program(cached(), 'Segmentation fault');
    const ways = [
      ({ directory: target }: { directory: string }) =>
        program(join(target, 'temporal'), works).then(() => undefined),
    ];
    expect(await find({ ways })).toBe(cached());
    expect(lines.join('\n')).toContain('does not run');
  });

  test('or the message contains every cause and the cure', async () => {
    const ways = [
      () => Promise.reject(new Error('the download failed (no such host)')),
      () => Promise.reject(new Error('Go is not installed')),
    ];
    const failure: unknown = await find({ ways }).catch((error: unknown) => error);
    if (!isStartFailure(failure)) throw failure;
    expect(failure.message).toMatch(/PATH.*no such host.*Go is not installed/);
    expect(failure.cure).toMatch(/Temporal CLI.*Go 1\.\d+.*TEMPORAL_ADDRESS/);
  });

  test('unless aborted, which leaves no incomplete file', async () => {
    const stopping = new AbortController();
    const ways = [
      () => {
        stopping.abort(new Error('Ctrl-C'));
        return Promise.reject(new Error('killed'));
      },
    ];
    await expect(find({ ways, signal: stopping.signal })).rejects.toThrow('Ctrl-C');
    expect(await readdir(join(directory, 'cache'))).toEqual([]);
  });
});
