import { test } from 'vitest';

/** Set by `npm run test:full`. */
export const isFull = process.env['FLOW_TRAIL_TESTS'] === 'full';

/** A test that runs only in the full run; `npm test` has a similar one. */
export const fullTest = isFull ? test : test.skip;

/** All cases in the full run; only the first in `npm test`. */
export function casesOf<Case>(cases: readonly [Case, ...Case[]]): readonly Case[] {
  return isFull ? cases : cases.slice(0, 1);
}
