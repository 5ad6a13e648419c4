#!/usr/bin/env node
// In a checkout `npx flow-trail` runs the sources, so that nothing has to be built and no old build is run by mistake.
// An installation without development dependencies has the build only.
import { existsSync } from 'node:fs';

const source = new URL('../src/cli/main.ts', import.meta.url);
const loader = existsSync(source) ? await import('tsx/esm/api').catch(() => undefined) : undefined;
if (loader) {
  loader.register();
  await import(source.href);
} else {
  await import(new URL('../dist/cli/main.js', import.meta.url).href);
}
