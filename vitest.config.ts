import { defineConfig } from 'vitest/config';
import { LongestFirst } from './test/support/longest-first.ts';

/**
 * `npm test` runs tests of each kind; `npm run test:full` runs all tests (docs/testing.md lists the additional ones).
 * Groups run one after the other. `unit` and `clocked` are CPU-bound, so they use one worker per core on two cores;
 * tests against servers mostly wait, so four files run at the same time. No test is retried. Timeouts only end hanging
 * tests: they allow for a machine ten times slower than a developer's.
 */
const isFull = process.env['FLOW_TRAIL_TESTS'] === 'full';
/** `npm run soak`: only random faults, for minutes. */
const isSoak = process.env['FLOW_TRAIL_TESTS'] === 'soak';
/** Parts of `npm run prove`. */
const isProve = process.env['FLOW_TRAIL_TESTS'] === 'prove';

/** The conformance tests of the stand-in that `npm test` runs: receiving, answering and streaming. */
const conformance = isFull
  ? ['test/conformance/**/*.test.ts']
  : ['test/conformance/{collector,records,stream}.test.ts'];

const slow = { testTimeout: 600_000, hookTimeout: 600_000 };
const againstServers = { ...slow, maxWorkers: 4, sequence: { groupOrder: 2 } };

export default defineConfig({
  test: {
    retry: 0,
    sequence: { sequencer: LongestFirst },
    reporters: ['default', './test/support/closing-line.ts'],
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/unit/**/*.test.ts'],
          exclude: ['test/unit/dev-goldmane/**', 'test/unit/goldmane/{connection,stream}.test.ts'],
          sequence: { groupOrder: 0 },
          maxWorkers: 2,
          // With isolation, half of the time would be spent on importing the same modules. Unit tests do not affect
          // each other.
          isolate: false,
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
          maxWorkers: 2,
          ...slow,
        },
      },
      {
        extends: true,
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts', 'test/replay/**/*.test.ts'],
          globalSetup: ['test/support/global-setup.ts'],
          ...againstServers,
        },
      },
      {
        extends: true,
        test: {
          name: 'faults',
          include: ['test/faults/**/*.test.ts'],
          globalSetup: ['test/support/global-setup.ts'],
          ...againstServers,
        },
      },
      {
        extends: true,
        test: {
          name: 'deploy',
          // The other tests build validators and evaluators with Go, or the files of the image.
          include: isFull ? ['test/deploy/**/*.test.ts'] : ['test/deploy/{smoke,alerts}.test.ts'],
          ...againstServers,
        },
      },
      {
        extends: true,
        test: {
          name: 'web',
          include: ['test/web/**/*.test.ts'],
          ...againstServers,
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
      ...(isProve
        ? [
            {
              extends: true as const,
              test: {
                name: 'prove',
                include: ['test/prove/**/*.test.ts'],
                globalSetup: ['test/support/global-setup.ts'],
                maxWorkers: 2,
                ...slow,
              },
            },
          ]
        : []),
    ],
  },
});
