import { defineConfig } from 'vitest/config';

/**
 * `npm test` has a test of each kind; `npm run test:full` has all of them (docs/testing.md says what is only there).
 * Groups run one after the other. The tests of `clocked` and `faults` go by a clock that is many times faster than real time,
 * so `clocked` runs one file at a time and `faults`, which mostly waits, two. No test is retried, and the limits of time are for
 * a machine that is ten times slower than a developer's: they end what hangs, they measure nothing.
 */
const isFull = process.env['FLOW_TRAIL_TESTS'] === 'full';
/** `npm run soak`: random faults for minutes, and nothing else. */
const isSoak = process.env['FLOW_TRAIL_TESTS'] === 'soak';

/** What `npm test` has of the stand-in's conformance: what it receives, answers and streams. */
const conformance = isFull
  ? ['test/conformance/**/*.test.ts']
  : ['test/conformance/{collector,records,stream}.test.ts'];

const slow = { testTimeout: 600_000, hookTimeout: 600_000 };

export default defineConfig({
  test: {
    retry: 0,
    reporters: ['default', './test/support/closing-line.ts'],
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/unit/**/*.test.ts'],
          exclude: ['test/unit/dev-goldmane/**', 'test/unit/goldmane/{connection,stream}.test.ts'],
          sequence: { groupOrder: 0 },
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'clocked',
          include: [
            ...conformance,
            'test/unit/dev-goldmane/**/*.test.ts',
            'test/unit/goldmane/{connection,stream}.test.ts',
          ],
          sequence: { groupOrder: 1 },
          fileParallelism: false,
          ...slow,
        },
      },
      {
        extends: true,
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts', 'test/replay/**/*.test.ts'],
          sequence: { groupOrder: 2 },
          globalSetup: ['test/support/global-setup.ts'],
          maxWorkers: 2,
          ...slow,
        },
      },
      {
        extends: true,
        test: {
          name: 'faults',
          include: ['test/faults/**/*.test.ts'],
          sequence: { groupOrder: 3 },
          globalSetup: ['test/support/global-setup.ts'],
          maxWorkers: 2,
          ...slow,
        },
      },
      {
        extends: true,
        test: {
          name: 'deploy',
          // The others build validators and evaluators with Go, or the files of the image.
          include: isFull ? ['test/deploy/**/*.test.ts'] : ['test/deploy/{smoke,alerts}.test.ts'],
          sequence: { groupOrder: 4 },
          testTimeout: 300_000,
          hookTimeout: 600_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'web',
          include: ['test/web/**/*.test.ts'],
          sequence: { groupOrder: 5 },
          testTimeout: 60_000,
          hookTimeout: 600_000,
        },
      },
      ...(isSoak
        ? [
            {
              extends: true as const,
              test: {
                name: 'soak',
                include: ['test/soak/**/*.test.ts'],
                globalSetup: ['test/support/global-setup.ts'],
                ...slow,
              },
            },
          ]
        : []),
    ],
  },
});
