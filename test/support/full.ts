import { test } from 'vitest';

/** Set by `npm run test:full`. */
const isFull = process.env['FLOW_TRAIL_TESTS'] === 'full';

/** A test of the full run only; `npm test` has another one of its kind. */
export const fullTest = isFull ? test : test.skip;

/** Every case in the full run; the first one, which stands for its kind, in `npm test`. */
export function casesOf<Case>(cases: readonly [Case, ...Case[]]): readonly Case[] {
  return isFull ? cases : cases.slice(0, 1);
}
