import fc from 'fast-check';

/** The same seed generates the same inputs in the same order. */
export const seed = Number(process.env['PROVE_SEED'] ?? 1);
/** Seconds for each test. */
const seconds = Number(process.env['PROVE_FUZZ_SECONDS'] ?? 45);

/** Runs as many cases as possible in the time of a test. @returns the number of cases and the seed, as text */
export async function fuzz<Value>(
  values: fc.Arbitrary<Value>,
  check: (value: Value) => Promise<void> | void,
): Promise<string> {
  let cases = 0;
  const property = fc.asyncProperty(values, async (value) => {
    cases += 1;
    await check(value);
  });
  await fc.assert(property, {
    seed,
    numRuns: Number.MAX_SAFE_INTEGER,
    plugins: [fc.interruptAfterTimeLimit(seconds * 1000)],
  });
  return `${cases.toLocaleString('en-US')} cases, seed ${seed}`;
}
