import { setTimeout as delay } from 'node:timers/promises';

/** Polls until the result is not undefined; fails with `what` and the last error after the limit. */
export async function until<Result>(
  what: string,
  ask: () => Promise<Result | undefined> | Result | undefined,
  limitMs = 240_000,
): Promise<Result> {
  const startedAt = Date.now();
  let last: unknown;
  for (;;) {
    try {
      const answer = await ask();
      if (answer !== undefined) return answer;
      last = undefined;
    } catch (error) {
      last = error;
    }
    if (Date.now() - startedAt > limitMs)
      throw new Error(`${what}: not within ${limitMs} ms`, last === undefined ? {} : { cause: last });
    await delay(100);
  }
}
