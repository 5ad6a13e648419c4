import { mkdtempSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, onTestFinished } from 'vitest';

const prefix = join(tmpdir(), 'flow-trail-test-');

/** An empty folder for the running test, which is removed after it. For tests and `beforeEach`. */
export async function folderOfTest(): Promise<string> {
  const folder = await mkdtemp(prefix);
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** An empty folder for all tests of the calling file or `describe`, which is removed after them. */
export function folderPerFile(): string {
  const folder = mkdtempSync(prefix);
  afterAll(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
