import { defineConfig } from 'vitest/config';
import { LongestFirst } from './test/support/longest-first.ts';

/**
 * `npm test` has a test of each kind; `npm run test:full` has all of them (docs/testing.md lists what is only there). Groups run
 * one after the other. `unit` and `clocked` compute, so they have one worker for each of two cores; what runs against servers
 * mostly waits, so three of its files run side by side. No test is retried. Time limits end what hangs, they measure nothing: they
 * are for a machine that is ten times slower than a developer's.
 */
const isFull = process.env['FLOW_TRAIL_TESTS'] === 'full';
/** `npm run soak`: random faults for minutes, and nothing else. */
const isSoak = process.env['FLOW_TRAIL_TESTS'] === 'soak';

/** What `npm test` has of the stand-in's conformance: what it receives, answers and streams. */
const conformance = isFull
  ? ['test/conformance/**/*.test.ts']
  : ['test/conformance/{collector,records,stream}.test.ts'];

const slow = { testTimeout: 600_000, hookTimeout: 600_000 };
const againstServers = { ...slow, maxWorkers: 3, sequence: { groupOrder: 2 } };

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
          // Half of the time of isolated files is spent on importing the same modules. No unit test changes what another one sees.
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
          // The others build validators and evaluators with Go, or the files of the image.
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
    ],
  },
});
