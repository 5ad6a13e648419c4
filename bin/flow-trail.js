#!/usr/bin/env node
// In a checkout, `npx flow-trail` runs the sources, so it needs no build and cannot run a stale one. An installation without
// development dependencies has only the build.
import { existsSync } from 'node:fs';

const source = new URL('../src/cli/main.ts', import.meta.url);
const loader = existsSync(source) ? await import('tsx/esm/api').catch(() => undefined) : undefined;
if (loader) {
  loader.register();
  await import(source.href);
} else {
  await import(new URL('../dist/cli/main.js', import.meta.url).href);
}
