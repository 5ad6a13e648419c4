import { execFile } from 'node:child_process';
import { access } from 'node:fs/promises';
import { promisify } from 'node:util';
import { chromium, type Browser } from 'playwright-core';

const run = promisify(execFile);
const candidates = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

async function findChromium(): Promise<string | undefined> {
  for (const path of candidates)
    if (
      await access(path).then(
        () => true,
        () => false,
      )
    )
      return path;
  return undefined;
}

/** Finds Debian's Chromium; installs it if it is missing and this user may install packages. */
async function ensureChromium(): Promise<string> {
  const found = await findChromium();
  if (found !== undefined) return found;
  if (process.getuid?.() === 0) {
    await run('apt-get', ['update', '-q']);
    await run(
      'apt-get',
      ['install', '-y', '-q', '--no-install-recommends', 'chromium', 'fonts-dejavu-core'],
      {
        env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
        maxBuffer: 64 * 1024 * 1024,
      },
    );
    const installed = await findChromium();
    if (installed !== undefined) return installed;
  }
  throw new Error('Chromium is missing; install it (apt-get install chromium)');
}

export async function launchChromium(): Promise<Browser> {
  // Chromium's sandbox does not work for root, as which tests often run in a container.
  return chromium.launch({ executablePath: await ensureChromium(), args: ['--no-sandbox'] });
}
